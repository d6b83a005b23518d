"""What benchmarks/ingest.py measures with, a file a part."""

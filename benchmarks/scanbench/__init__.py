"""The parts of benchmarks/scan.py: the corpus, the tools, the figures."""

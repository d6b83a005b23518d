"""The front: takes OTLP from the network, puts it on disk, and acknowledges. Knows nothing of agents."""

"""OTLP as a client speaks it: the agent's exporter and the detector that forwards send in one way."""

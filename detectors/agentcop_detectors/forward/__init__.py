"""What was received, sent on to another OTLP endpoint: in its own process, at its own pace, from the disk."""

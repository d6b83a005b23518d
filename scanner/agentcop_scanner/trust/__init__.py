"""What findings come to: which are suppressed, what a file scores, whether the demands hold."""

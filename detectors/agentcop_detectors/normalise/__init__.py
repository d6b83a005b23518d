"""From spans of any convention to steps."""

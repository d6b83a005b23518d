"""Text that becomes a path."""

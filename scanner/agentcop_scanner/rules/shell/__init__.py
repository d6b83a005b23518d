"""Text that becomes a command."""

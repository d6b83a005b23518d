"""Text that becomes code."""

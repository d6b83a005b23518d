"""Text that becomes a query."""

"""Text that becomes an address."""

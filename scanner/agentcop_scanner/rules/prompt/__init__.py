"""Text that becomes a prompt or a template."""

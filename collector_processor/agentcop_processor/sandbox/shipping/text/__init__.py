"""A module's text, read: its statements and names, what of them a tool needs, and whether that is still what runs."""

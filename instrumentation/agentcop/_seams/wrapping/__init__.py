"""What stands in place of a callable: its shape and looks, its arguments by name, and how one call of it begins."""

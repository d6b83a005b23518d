"""What needs no learning: one file a check, each of the same shape."""

"""What was received, on disk: an append-only log of frames, sealed into blocks that find a trace by its id."""

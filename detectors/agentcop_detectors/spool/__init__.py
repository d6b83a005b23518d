"""What the agents of this machine left on disk, brought into the segment log: each line once, then removed."""

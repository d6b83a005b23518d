"""A box from the host's side: what it is given to see, what is said with it, and where calls find one that waits."""

"""The escape suite: what a tool could do to get out of its box, tried for real in every engine that is there."""

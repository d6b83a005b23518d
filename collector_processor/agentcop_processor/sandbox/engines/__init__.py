"""Which engine a box comes from, and what is the same for all: system calls, and whose a box is."""

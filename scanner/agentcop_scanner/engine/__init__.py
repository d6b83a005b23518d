"""Follows untrusted data through a program, function by function and file by file, without running any of it."""

"""Spans: whose they are, what they carry, and that no fault of theirs reaches the application."""

"""What is made once for a whole run and used by every cell: servers, clients. Closed at its end."""

from __future__ import annotations

from contextlib import ExitStack

KEPT = ExitStack()
"""Entered by whoever makes such a thing; closed by `run.surroundings`."""

"""A box for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inside_boxes import Box

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def box() -> Iterator[Box]:
    """A fresh box with the usual limits."""
    with Box() as box:
        yield box

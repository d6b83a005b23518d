"""A search that asks nobody, and says where it ran."""

from __future__ import annotations

import os
from typing import Any, Self


class DDGS:
    """As the client of the same name is used: as a context manager, by its method `text`."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes whatever the real one does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def text(self, query: str, **_: Any) -> list[dict[str, str]]:
        """One result."""
        where = f"searched {query!r} as user {os.getuid()}, process {os.getpid()}"
        return [{"title": "News", "body": f"An advisory was published; {where}.", "href": "https://example.test"}]

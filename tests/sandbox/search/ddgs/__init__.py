"""A search that asks nobody."""

from ddgs.ddgs import DDGS

__all__ = ["DDGS"]

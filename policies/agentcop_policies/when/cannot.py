"""The answer of a helper that is neither yes nor no."""

from __future__ import annotations


class CannotJudgeError(Exception):
    """A helper (`path.within`, `url.host_in`, `shell.only`) cannot answer for this value, neither yes nor no.

    The message is one phrase that names the reason and holds nothing of the value, because it is shown to the model.
    """

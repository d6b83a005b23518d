"""Why a message was not taken, and whether trying again can help."""

from __future__ import annotations

from agentcop_core.errors import AgentCopError


class SendFailed(AgentCopError):  # noqa: N818 -- a state of the channel, as NotArmed is of the process
    """A channel did not take a message.

    `reason` is one clause without secrets; `final`: another attempt would fail in the same way; `retry_after`:
    seconds that the channel asked to be left alone, 0 if it did not say.
    """

    def __init__(self, reason: str, *, final: bool = False, retry_after: float = 0.0) -> None:
        """See the class."""
        self.reason = reason
        self.final = final
        self.retry_after = retry_after
        super().__init__(reason)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the reason; the rest is for whoever retries."""
        return (type(self), (self.reason,))


def fault(error: BaseException) -> str:
    """What went wrong on the way, without the address it was on the way to: that may be a secret."""
    cause = getattr(error, "reason", None)
    if isinstance(cause, BaseException):  # urllib wraps the error of the socket
        error = cause
    if said := getattr(error, "verify_message", ""):
        return f"the server's certificate is not trusted: {said}"
    said = getattr(error, "strerror", None) or ""
    return f"{type(error).__name__}{f': {said}' if isinstance(said, str) and said else ''}"


def retry_after(value: str | None) -> float:
    """The seconds of a Retry-After header; 0 for a date or nonsense, which our own backoff covers."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else 0.0

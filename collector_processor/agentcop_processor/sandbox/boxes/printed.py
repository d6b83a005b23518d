"""What a tool printed in its box, told on the host: line by line, under the tool's name.

The standard output of the agent's program is never written to: it may be what another program reads (an MCP server's
messages, a command's JSON), and a box exists to keep a tool out of that.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Final

from agentcop_core.escape import escape, shorten
from agentcop_core.redact import Redactor
from agentcop_processor.telemetry.swallowed import Swallowed

if TYPE_CHECKING:
    from agentcop_processor.sandbox.boxes.conversation import Reply

_log: Final = logging.getLogger("agentcop.sandbox")
_redactor: Final = Redactor()
_swallowed: Final = Swallowed()

_MOST: Final = 1_000
"""Lines of one stream of one call; more are counted."""
_WIDEST: Final = 2_000
"""Characters of one line; more are counted."""


def tell_printed(tool: str, reply: Reply) -> None:
    """Log each line that the tool wrote, at INFO by `agentcop.sandbox`. Never raises.

    Where nobody has set logging up, they go to `sys.stderr`. INFO counts as wanted unless a level was given to that
    logger or to `agentcop`: what is printed is to be seen. Secrets are hidden, control characters are escaped, and
    what is too long is counted.
    """
    with _swallowed:
        if reply.cut:
            most = "agentcop: %s printed %d bytes more than sandbox.max_stdout keeps: they are gone"
            _log.warning(most, shorten(escape(tool), _WIDEST), reply.cut)
        if not _is_wanted():
            return
        for stream, data in (("stdout", reply.stdout), ("stderr", reply.stderr)):
            if data:
                _tell(tool, stream, _lines(data))


def _is_wanted() -> bool:
    if _log.disabled or _log.manager.disable >= logging.INFO:
        return False
    given = next((each.level for each in (_log, logging.getLogger("agentcop")) if each.level), logging.INFO)
    return given <= logging.INFO


def _lines(data: bytes) -> list[str]:
    """As they may be shown. Hidden first, and then cut: half a secret looks like none."""
    lines = _redactor.redact_text(data.decode(errors="replace")).removesuffix("\n").split("\n")
    shown = [shorten(escape(line.removesuffix("\r").expandtabs()), _WIDEST) for line in lines[:_MOST]]
    return shown if len(lines) <= _MOST else [*shown, f"… +{len(lines) - _MOST:,} lines"]


def _tell(tool: str, stream: str, lines: list[str]) -> None:
    name = shorten(escape(tool), _WIDEST)
    if _log.hasHandlers():
        for line in lines:
            # As `info`, but for the level: of a root logger that nobody gave one it would be WARNING.
            extra = {"tool": tool, "stream": stream}
            record = _log.makeRecord(_log.name, logging.INFO, __file__, 0, "[%s] %s", (name, line), None, extra=extra)
            _log.handle(record)
    elif sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed, or gone with its terminal
            sys.stderr.write("".join(f"[{name}] {line}\n" for line in lines))
            sys.stderr.flush()

"""gate.log written by the real writer, and the hand of somebody who changes it afterwards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from agentcop_processor.gatelog import GateLog
from agentcop_processor.gatelog.chain import line_hash

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_processor.gatelog import Head


def decision(call: int, verdict: str = "allow", **fields: object) -> dict[str, object]:
    """Fields of a decision line."""
    return {
        "kind": "decision",
        "agent": "agent-1",
        "session": "s-1",
        "call": f"call-{call}",
        "tool": "web_search",
        "verdict": verdict,
        "rule": f"gate.{verdict}[0]",
        **fields,
    }


def write_log(folder: Path, *, writers: int = 2, decisions: int = 5, **options: int) -> list[Head]:
    """`writers` chains, interleaved, each of a start line and `decisions` more; the heads of all lines, in order."""
    logs = [GateLog(folder, **options) for _ in range(writers)]  # type: ignore[arg-type]
    heads = [log.open() for log in logs]
    for call in range(decisions):
        heads += [log.append(decision(call)) for log in logs]
    for log in logs:
        log.close()
    return heads


def lines_of(folder: Path) -> list[bytes]:
    """The lines of gate.log, without their newlines."""
    return (folder / "gate.log").read_bytes().split(b"\n")[:-1]


def put_lines(folder: Path, lines: list[bytes]) -> None:
    """Replace gate.log."""
    (folder / "gate.log").write_bytes(b"".join(line + b"\n" for line in lines))


def rehashed(lines: list[bytes]) -> list[bytes]:
    """The lines with every `prev` made right again: what somebody can do who knows how the chain works."""
    last: dict[str, bytes] = {}
    done = []
    for line in lines:
        writer = orjson.loads(line)["w"]
        if writer in last:
            line = re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%b"' % last[writer], line)  # noqa: PLW2901 -- as it is read
        last[writer] = line_hash(line).encode()
        done.append(line)
    return done

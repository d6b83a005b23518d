"""Replay AgentDojo's tasks through the gate and print what ran, was held, was blocked or got through, and who was told.

For example `python examples/agentdojo/run.py --suite banking`; `-f json` for machines.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sinks
from agentcop import AgentCop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SUITES: Final = ("workspace", "banking")
POLICIES: Final = Path(__file__).parent / "policies"
_OPENING_WORDS: Final = """\
The calls that solve each task of a benchmark, replayed through the gate: those
that serve users, and those an attacker wants. No model runs. What the words
mean: examples/agentdojo/README.md
"""
JAEGER: Final = "cr.jaegertracing.io/jaegertracing/jaeger:2.15.0"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: every task was replayed, whatever the gate decided. An existing AGENTCOP_HOME is used, and kept."""
    started = float(os.environ.get("AGENTCOP_DEMO_STARTED") or time.time())
    parser = argparse.ArgumentParser(description="AgentDojo's tasks, replayed through the gate.")
    parser.add_argument("--suite", action="append", choices=[*SUITES, "all"], help="may be given twice; default: all")
    parser.add_argument("-f", "--format", choices=["text", "json"], default="text")
    chosen = parser.parse_args(argv)
    suites = SUITES if not chosen.suite or "all" in chosen.suite else tuple(dict.fromkeys(chosen.suite))

    if not os.environ.get("AGENTCOP_HOME"):
        os.environ["AGENTCOP_HOME"] = tempfile.mkdtemp(prefix="agentcop-")
    home = Path(os.environ["AGENTCOP_HOME"]).expanduser().absolute()
    from replay import BENCHMARK, SuiteReplay  # here, so that the seconds it takes to load AgentDojo are counted
    from report import as_json, as_text, first_answer

    # Before any policy is read; and whatever was set before, a replay tells nobody outside this machine.
    told = sinks.Sinks().start()
    os.environ.update(told.environ)
    results = []
    for suite in suites:
        cop = AgentCop(policy_file=POLICIES / f"{suite}.yaml")
        results.append(SuiteReplay(suite, cop).run())
        cop.flush()
    seconds = {
        outcome: None if (when := first_answer(results, outcome)) is None else round(when - started, 1)
        for outcome in ("blocked", "held")
    }
    if seconds["blocked"] is not None:
        told.wait()
    if chosen.format == "json":
        document = {
            "benchmark": BENCHMARK,
            "suites": [as_json(result) for result in results],
            "seconds_to_first_blocked": seconds["blocked"],
            "seconds_to_first_held": seconds["held"],
            "first_alert": sinks.as_json(told),
            "gate_log": str(home / "gate.log"),
            "trace": str(home / "spool"),
        }
        print(json.dumps(document, indent=2))
    else:
        print(_OPENING_WORDS)
        print("\n\n".join(as_text(result) for result in results))
        print("\n".join(_closing_words(seconds, home)))
        if seconds["blocked"] is not None:
            print("Who was told of the first blocked call:")
            print("\n".join(sinks.as_text(told)))
    return 0


def _closing_words(seconds: Mapping[str, float | None], home: Path) -> Iterator[str]:
    yield ""
    for outcome in ("blocked", "held"):
        when = seconds[outcome]
        yield f"First call {outcome}: " + ("none in this replay" if when is None else f"{when} s after the start")
    yield f"gate.log: {home / 'gate.log'}"
    yield f"Trace: {home / 'spool'}"
    yield "Blocked calls:"
    yield f"  {_command()} gate log --blocked --home {shlex.quote(str(home))}"
    yield "In Jaeger (then open http://localhost:16686):"
    yield f"  docker run --rm -d -p 16686:16686 -p 4318:4318 {JAEGER}"
    yield "  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 scripts/demo"


def _command() -> str:
    """The `agentcop` of this environment, as it can be called from where we are."""
    beside = Path(sys.executable).with_name("agentcop")
    try:
        return shlex.quote(str(beside.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(beside))


if __name__ == "__main__":
    sys.exit(main())

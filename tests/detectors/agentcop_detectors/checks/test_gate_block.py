"""Gate block: every refused call is told of once, by the agent's process or by the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent_spans import a_run, a_step
from agentcop_detectors.checks.gate_block import GateBlock
from agentcop_detectors.policies import Policies

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly


def found(check: GateBlock | None = None, **said: Any) -> list[Anomaly]:
    step = a_step(1, **{"verdict": "block", "rule": "gate.block[2]", "reason": "no payments at night"} | said)
    return list((check or GateBlock()).on_steps(a_run(step), [step], {}))


def test_a_block_that_nobody_told_of_is_an_alert() -> None:
    (anomaly,) = found()

    assert (anomaly.severity, anomaly.reason) == ("high", "no payments at night")
    assert anomaly.evidence == (
        "the tool did not run; rule gate.block[2]",
        "the agent's process sent no alert of it",
    )


def test_a_block_that_the_agent_tells_of_is_not_told_of_twice() -> None:
    assert found(alert="agent") == []


@pytest.mark.parametrize(
    "said", [{"verdict": "allow"}, {"verdict": "require_approval"}, {"verdict": ""}, {"kind": "other"}]
)
def test_what_is_no_refused_call_is_no_alert(said: dict[str, Any]) -> None:
    assert found(**said) == []


def test_what_observe_let_run_says_so() -> None:
    (anomaly,) = found(mode="observe")
    assert anomaly.evidence[0] == "the tool ran, under mode: observe; rule gate.block[2]"


def test_each_call_has_a_key_of_its_own() -> None:
    first, second = a_step(1, verdict="block"), a_step(2, verdict="block")
    keys = [each.key for each in GateBlock().on_steps(a_run(first, second), [first, second], {})]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("on_block", "alerts"), [("raise", 0), ("return_message", 0), ("alert", 1), ("raise_and_alert", 1)]
)
def test_a_policy_that_asks_for_no_alert_is_heeded(tmp_path: Path, on_block: str, alerts: int) -> None:
    text = f"version: '1'\nagent_id: billing\ngate:\n  allow: [search]\n  on_block: {on_block}\n"
    (tmp_path / "billing.yaml").write_text(text)
    policies = Policies(tmp_path)
    policies.refresh()
    assert policies.problems == {}

    assert len(found(GateBlock(policies))) == alerts
    assert len(found(GateBlock(policies), agent_id="another")) == 1

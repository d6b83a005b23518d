"""Policy loosened: a gate that stops enforcing, and one that judges by a policy of unknown origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_spans import a_run, a_step
from agentcop_detectors.checks.policy_loosened import PolicyLoosened
from agentcop_detectors.policies import Policies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentcop_detectors.checks._interface import Anomaly
    from agentcop_detectors.step import Step


def judged(number: int, **said: Any) -> Step:
    return a_step(number, **{"verdict": "allow"} | said)


def found(steps: Sequence[Step], state: dict[str, Any] | None = None) -> list[Anomaly]:
    state = state if state is not None else {}
    run = a_run(*steps)
    return [each for step in steps for each in PolicyLoosened().on_steps(run, [step], state)]


def test_enforce_to_observe_is_an_alert_once() -> None:
    state: dict[str, Any] = {}
    (anomaly,) = found([judged(1), judged(2, mode="observe"), judged(3, mode="observe")], state)

    assert anomaly.severity == "high"
    assert "from mode: enforce to mode: observe" in anomaly.reason
    assert found([judged(4, mode="observe")], state) == []


def test_an_agent_that_always_observed_loosened_nothing() -> None:
    assert found([judged(1, mode="observe"), judged(2, mode="observe")]) == []


def test_observe_to_enforce_is_no_alert() -> None:
    assert found([judged(1, mode="observe"), judged(2)]) == []


def test_a_span_that_comes_late_says_what_was_true_before() -> None:
    assert found([judged(5), judged(2, mode="observe")]) == []


def test_environments_are_told_apart() -> None:
    production, staging = {"environment": "production"}, {"environment": "staging", "mode": "observe"}
    steps = [judged(1, **production), judged(2, **staging), judged(3, **production), judged(4, **staging)]
    assert found(steps) == []


def test_calls_that_no_gate_judged_say_nothing_about_its_mode() -> None:
    assert found([judged(1), a_step(2, mode="observe")]) == []


def test_a_span_from_the_future_does_not_hide_what_follows() -> None:
    state: dict[str, Any] = {}
    check = PolicyLoosened()
    run = a_run(judged(1))
    list(check.on_steps(run, [judged(2, start=2**62)], state))
    run.seen += 10
    assert len(list(check.on_steps(run, [judged(30, mode="observe")], state))) == 1


POLICY = "version: '{version}'\nagent_id: billing\ngate:\n  allow: [search]\n"


def test_a_digest_that_stands_in_no_file_is_an_alert_once(tmp_path: Path) -> None:
    (tmp_path / "billing.yaml").write_text(POLICY.format(version=1))
    policies = Policies(tmp_path)
    policies.refresh()
    known = policies.for_agent("billing")
    assert known is not None
    check, state = PolicyLoosened(policies), dict[str, Any]()

    assert list(check.on_look(a_run(judged(1, policy_digest=known.digest)), state)) == []
    run = a_run(judged(1, policy_digest="e" * 64), judged(2, policy_digest="e" * 64))
    (anomaly,) = check.on_look(run, state)
    assert list(check.on_look(run, state)) == []

    assert anomaly.severity == "high"
    assert anomaly.evidence == (
        "policy digest eeeeeeeeeeee, version not named",
        f"its file there has {known.digest[:12]}",
    )


def test_an_agent_that_the_folder_has_no_file_for_is_told_of_low(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(POLICY.format(version=1).replace("billing", "other"))
    policies = Policies(tmp_path)
    policies.refresh()

    (anomaly,) = PolicyLoosened(policies).on_look(a_run(judged(1, policy_digest="e" * 64)), {})

    assert (anomaly.severity, anomaly.tool) == ("low", "")
    assert anomaly.evidence[-1] == "no file there is for this agent"


def test_yesterdays_policy_is_known(tmp_path: Path) -> None:
    path = tmp_path / "billing.yaml"
    path.write_text(POLICY.format(version=1))
    policies = Policies(tmp_path)
    policies.refresh()
    before = policies.for_agent("billing")
    path.write_text(POLICY.format(version="2 is longer"))
    policies.refresh()
    assert before is not None
    assert policies.for_agent("billing") != before

    assert list(PolicyLoosened(policies).on_look(a_run(judged(1, policy_digest=before.digest)), {})) == []


def test_without_a_folder_nothing_is_said_about_digests() -> None:
    run = a_run(judged(1, policy_digest="e" * 64))
    assert list(PolicyLoosened(Policies(None)).on_look(run, {})) == []
    assert list(PolicyLoosened().on_look(run, {})) == []

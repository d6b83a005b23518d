from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_core.alert import rank
from agentcop_detectors.telling.budget import DAY, Budget
from alerts import NOW, alert

if TYPE_CHECKING:
    from agentcop_core.alert import Severity

SEVERITIES: list[Severity] = ["low", "medium", "high", "critical"]


@given(st.integers(1, 5), st.lists(st.sampled_from(SEVERITIES), max_size=60))
def test_of_each_severity_and_above_the_first_n_go_out(limit: int, came: list[Severity]) -> None:
    with TemporaryDirectory() as folder:
        budget = Budget(Path(folder) / "budget.json", lambda agent: limit)
        out: Counter[Severity] = Counter()
        for severity in came:
            above = sum(count for each, count in out.items() if rank(each) >= rank(severity))
            went = budget(alert(severity=severity), NOW)
            assert went is (above < limit)
            out[severity] += went
        assert out["critical"] == min(limit, came.count("critical"))


def test_it_is_an_agents_own_and_a_days(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "budget.json", lambda agent: 1)

    assert budget(alert(), NOW)
    assert not budget(alert(), NOW + 1)
    assert budget(alert(agent_id="other"), NOW + 1)
    assert budget(alert(), NOW + DAY)


def test_a_digest_and_a_test_cost_nothing(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "budget.json", lambda agent: 1)
    for _ in range(3):
        assert budget(alert(kind="digest"), NOW)
        assert budget(alert(kind="test"), NOW)
    assert budget(alert(), NOW)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"day": 1}', b'{"day": "x", "sent": []}'])
def test_a_file_that_is_none_of_ours_begins_the_day_anew(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "budget.json").write_bytes(data)

    assert Budget(tmp_path / "budget.json", lambda agent: 1)(alert(), NOW)


def test_a_disk_that_takes_nothing_is_said_once_and_keeps_nobody_from_hearing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    budget = Budget(tmp_path / "file" / "budget.json", lambda agent: 9)

    assert [budget(alert(), NOW) for _ in range(3)] == [True] * 3
    assert caplog.text.count("would give today's budget anew") == 1

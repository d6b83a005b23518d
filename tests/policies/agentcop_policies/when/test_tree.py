from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.judging import conditions
from agentcop_policies.judging.conditions import Condition, compile_condition
from agentcop_policies.when.tree import Reads, reads


@given(st.binary(max_size=80))
def test_bytes_that_are_no_expression_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        reads(data)


def test_an_expression_whose_tree_cannot_be_read_counts_as_reading_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    def unreadable(serialized: bytes) -> Reads:
        raise ValueError(len(serialized))

    monkeypatch.setattr(conditions, "reads", unreadable)
    compiled: Condition = compile_condition.__wrapped__("args.x == 1", folder=tmp_path)

    assert compiled.arguments is None
    assert compiled.uses_session

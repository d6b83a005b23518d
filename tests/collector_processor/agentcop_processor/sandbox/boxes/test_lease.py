"""A box serves another call only where the policy has it so and this call has come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentcop_core.errors import SandboxCrashed, SandboxTimeout
from agentcop_processor.sandbox.boxes.lease import Lease, Once, Refused
from agentcop_processor.sandbox.boxes.pool import Kind, Waiting
from agentcop_processor.sandbox.boxes.runner import prepare, started
from agentcop_processor.sandbox.parcel import Parcel
from agentcop_processor.sandbox.settings import Settings
from process_boxes import ENGINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

pytestmark = pytest.mark.sandbox

GIVEN_BACK: list[bool] = []


@pytest.fixture
def leased() -> Iterator[Callable[..., Lease]]:
    """A box of its own with a function of the standard library loaded; what is given back is noted."""
    GIVEN_BACK.clear()
    boxes = []

    def lease(module: str, name: str, *, reuse: Literal["never", "per_agent"] = "per_agent") -> Lease:
        settings = Settings(mode="process", network="none", reuse=reuse, timeout=1.0)
        kind, parcel = Kind(settings=settings, mounts=()), Parcel(module=module, name=name)
        box = started(ENGINE, kind)
        boxes.append(box)
        prepare(box, settings, parcel)
        waiting = Waiting(kind=kind, box=box, parcel=parcel)
        return Lease(waiting, lambda _, again: GIVEN_BACK.append(again), Once(lambda: None))

    yield lease
    for box in boxes:
        box.close()


def test_a_box_that_answered_serves_the_next_call_where_the_policy_has_it_so(leased: Callable[..., Lease]) -> None:
    assert leased("operator", "add").run("add", (1, 2), {}).value == 3
    assert leased("operator", "add", reuse="never").run("add", (1, 2), {}).value == 3
    assert GIVEN_BACK == [True, False]


def test_one_in_which_a_call_crashed_or_was_killed_serves_no_other(leased: Callable[..., Lease]) -> None:
    with pytest.raises(SandboxCrashed):
        leased("os", "_exit").run("exit", (3,), {})
    with pytest.raises(SandboxTimeout):
        leased("time", "sleep").run("sleep", (600,), {})
    assert GIVEN_BACK == [False, False]


def test_arguments_that_cannot_travel_run_nothing_and_end_the_box(leased: Callable[..., Lease]) -> None:
    lease = leased("operator", "add")
    with pytest.raises(Refused, match=r"builtins.object at arguments\[1\]\): pass plain values, or leave the tool out"):
        lease.run("add", (1, object()), {})
    assert lease.ended
    assert GIVEN_BACK == []

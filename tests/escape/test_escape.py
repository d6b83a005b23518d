"""Nothing that a tool can do gets it out of its box; without a box, much of it does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.escape.expected import DOCUMENTED, SPECIALS, special
from tests.escape.found import NAMES, place, sockets
from tests.escape.places import Bare
from tests.escape.scene import Scene
from tests.escape.suite import THEMES, Probe, bare_probes, probes, tried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.escape.places import Boxed

pytestmark = pytest.mark.sandbox

_LEAST_ROOT = 30
"""Of the probes, how many get through as root without a box on any machine that this was run on."""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Scene(sockets()) as laid_out:
        yield laid_out


@pytest.fixture(scope="module", params=NAMES)
def boxes(request: pytest.FixtureRequest) -> Boxed:
    return place(request.param)


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.id)
def test_no_box_lets_it_out(probe: Probe, boxes: Boxed, scene: Scene) -> None:
    verdict = tried(probe, boxes, scene)
    assert not verdict.broken, f"{probe.claim} {verdict.broken}"
    if not verdict.documented:
        assert verdict.escapes == (), probe.claim


@pytest.mark.skipif(os.geteuid() != 0, reason="another user than root is refused most of it by the machine")
def test_without_a_box_the_probes_can_fail(scene: Scene) -> None:
    verdicts = [tried(probe, Bare(), scene) for probe in bare_probes()]
    got_out = [each.probe for each in verdicts if each.escapes]
    assert len(got_out) >= _LEAST_ROOT, [each.probe for each in verdicts if each.contained]
    assert {each.partition(".")[0] for each in got_out} == set(THEMES) - {"egress", "supervisor", "results"}


def test_what_is_particular_is_said_of_probes_that_there_are() -> None:
    known = {probe.id for probe in probes()}
    assert set(SPECIALS) <= known
    assert {probe for documented in DOCUMENTED.values() for probe in documented} <= known


def test_no_limit_of_containers_is_documented() -> None:
    assert set(DOCUMENTED) <= {"process"}


def test_each_probe_says_what_it_tries() -> None:
    assert [probe.id for probe in probes() if not probe.claim.endswith((".", "box"))] == []
    assert all(special(probe.id).timeout > 0 for probe in probes())

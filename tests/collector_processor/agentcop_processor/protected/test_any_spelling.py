"""However a path is spelt, the protection sees where it leads; and where it does not lead there, it stays away."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protecting import Machine, machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder: Path = tmp_path_factory.mktemp("machine")
    return machine(folder, pytest.MonkeyPatch())


detours = st.lists(st.sampled_from(["/", "/./", "//", "/x/../", "/.//", "/a/b/../../"]), min_size=12, max_size=12)
targets = st.sampled_from(["{state}", "{state}/gate.log", "{state}/a/b", "{policy}", "{base}"])


def spelt(path: str, seams: list[str]) -> str:
    parts = [part for part in path.split("/") if part]
    return "".join(seam + part for seam, part in zip((seams * len(parts))[: len(parts)], parts, strict=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=targets, seams=detours, data=st.data())
def test_a_protected_path_with_any_detours_in_any_quotes_is_refused(
    here: Machine, target: str, seams: list[str], data: st.DataObject
) -> None:
    path = spelt(here.filled(target), seams)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(1, len(path) - 1))
        quotes = data.draw(st.sampled_from(["''", '""']))
        path = f"cat {path[:cut]}{quotes}{path[cut:]} | head"
    elif data.draw(st.booleans()):
        path = f"bash -c {shlex.quote(f'cat {shlex.quote(path)}')}"
    assert here.refuses(path)


others = st.text(st.sampled_from("abc/.~$*?[]{}'\"\\ \n:=&|;-_%20"), max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=others)
def test_text_that_names_no_part_of_a_protected_path_passes(here: Machine, text: str) -> None:
    assert not here.refuses(text)

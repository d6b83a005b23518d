"""What the supervisor held of a call is gone from its memory, of which the next call's process is a copy."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inside_boxes import Box
from searching_memory import SEARCH, higher

pytestmark = pytest.mark.sandbox


def test_the_search_finds_what_is_there(box: Box) -> None:
    marker = secrets.token_hex(12)
    box.prepare(SEARCH.replace("import gc", f"import gc; kept = {marker!r}"))
    found = box.call(higher(marker)).value
    assert isinstance(found, int)
    assert found >= 1


@pytest.mark.parametrize("times", [1, 50, 20_000])
def test_a_call_finds_nothing_of_an_earlier_one_in_its_memory(box: Box, times: int) -> None:
    argument, printed, warned, result, source = (secrets.token_hex(12) for _ in range(5))
    first = f"""
        import sys
        SOURCE = {source!r} * {times}
        def tool(argument, printed, warned, result):
            print(printed)
            print(warned, file=sys.stderr)
            return result
    """
    done = box.run(first, argument * times, printed=printed * times, warned=warned * times, result=result * times)
    assert done.value == result * times
    for _ in range(3):
        for marker in (argument, printed, warned, result, source):
            assert box.run(SEARCH, higher(marker)).value == 0


def test_a_call_that_is_cut_off_leaves_nothing_either(box: Box) -> None:
    marker = secrets.token_hex(12)
    done = box.cut_off("import time\ndef tool(text): print(text); time.sleep(600)", marker * 100)
    assert done.status == "timeout"
    done = box.run(
        "import os\ndef tool(text): os.write(4, (999_999).to_bytes(4, 'big') + text.encode()); os._exit(1)", marker
    )
    assert done.status == "crashed"
    assert box.run("import os\nos._exit(1)", marker * 100_000).status == "crashed"
    assert box.run(SEARCH, higher(marker)).value == 0

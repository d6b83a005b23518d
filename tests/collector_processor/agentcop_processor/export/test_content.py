from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.export import ContentTable
from agentcop_processor.export.content import FIELD_BYTES, KEPT_TEXT, shorten

SECRET = "sk-live-0123456789abcdef0123456789abcdef"


def redact(text: str) -> str:
    return text.replace(SECRET, "[secret]")


def test_what_was_put_is_taken_once() -> None:
    table = ContentTable()
    table.put_arguments(7, b'{"to":"a"}')
    table.put_result(7, "sent")
    content = table.pop(7)
    assert content is not None
    assert (content.arguments, content.result, content.mode) == ('{"to":"a"}', "sent", "redacted")
    assert table.pop(7) is None


def test_with_none_only_the_fact_is_kept() -> None:
    table = ContentTable("none")
    table.put_arguments(7, b'{"to":"a"}')
    table.put_result(7, "sent")
    content = table.pop(7)
    assert content is not None
    assert (content.arguments, content.result, content.mode) == ("", "", "none")


def test_an_agents_own_mode_holds_for_its_result_too() -> None:
    table = ContentTable("full")
    table.put_arguments(7, b"{}", mode="none")
    table.put_result(7, "sent")
    content = table.pop(7)
    assert content is not None
    assert (content.result, content.mode) == ("", "none")


def test_the_oldest_go_first_and_are_counted() -> None:
    table = ContentTable(max_entries=3)
    for span_id in range(5):
        table.put_arguments(span_id, b"{}")
    assert [table.pop(span_id) is None for span_id in range(5)] == [True, True, False, False, False]
    assert table.evicted == 2


def test_text_is_bounded_in_total() -> None:
    table = ContentTable(max_characters=10 * KEPT_TEXT)
    for span_id in range(100):
        table.put_result(span_id, "x" * 1_000_000)
    held = [content for span_id in range(100) if (content := table.pop(span_id))]
    assert sum(content.size for content in held) <= 10 * KEPT_TEXT
    assert table.evicted == 90
    assert held[0].result_length == 1_000_000


def test_long_arguments_are_cut_and_the_rest_counted() -> None:
    table = ContentTable()
    table.put_arguments(7, b'{"a":"' + "ü".encode() * FIELD_BYTES + b'"}')
    content = table.pop(7)
    assert content is not None
    assert len(content.arguments.encode()) < FIELD_BYTES + 30
    assert content.arguments.endswith(f"… +{FIELD_BYTES + 8} bytes")


@given(st.text(max_size=3 * FIELD_BYTES), st.integers(0, 10**9))
def test_a_shortened_text_is_the_beginning_and_the_missing_count(text: str, more: int) -> None:
    short = shorten(text, length=len(text) + more)
    shown, _, missing = short.rpartition("… +") if short.endswith(" characters") else (short, "", "0 characters")
    assert text.startswith(shown)
    assert len(shown.encode("utf-8", "replace")) <= FIELD_BYTES
    assert len(shown) + int(missing.removesuffix(" characters")) == len(text) + more


@pytest.mark.parametrize("before", range(KEPT_TEXT - 60, KEPT_TEXT + 5, 3))
@pytest.mark.parametrize("length", [0, 10**6])
def test_a_secret_at_the_cut_never_shows_in_part(before: int, length: int) -> None:
    # A redactor that shrinks everything else to nothing brings the edge into the field.
    shown = shorten("x" * before + SECRET + "y" * 100, lambda text: redact(text.replace("x" * 1000, "")), length=length)
    assert "sk-live" not in shown


def test_a_redacted_text_may_grow() -> None:
    assert len(shorten("a" * 2000, lambda text: text.replace("a", "[redacted]")).encode()) < FIELD_BYTES + 40

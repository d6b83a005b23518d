"""A secret that a place echoes does not enter the box, wherever the stream is cut."""

from __future__ import annotations

import base64
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.egress.traffic.masking import Mask, masked, needles


@given(
    secret=st.text(alphabet="ab ", min_size=1, max_size=6).filter(lambda text: text == text.strip()),
    data=st.binary(max_size=80).map(lambda raw: bytes(b"ab "[byte % 3] for byte in raw)),
    cuts=st.lists(st.integers(0, 80), max_size=8),
)
def test_no_piece_of_a_stream_or_the_whole_of_it_holds_the_secret(secret: str, data: bytes, cuts: list[int]) -> None:
    secrets = needles(secret)
    mask = Mask(secrets)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [mask.feed(data[start:end]) for start, end in pairwise(edges)]
    whole = b"".join((*pieces, mask.end()))

    assert all(needle not in whole for needle in secrets)
    assert len(whole) == len(data)
    assert all(before == after or after == ord("*") for before, after in zip(data, whole, strict=True))
    assert whole == masked(data, secrets)


def test_what_cannot_be_the_start_of_a_secret_is_not_held_back() -> None:
    mask = Mask(needles("Bearer abcdefgh"))

    assert mask.feed(b"data: 1\n\n") == b"data: 1\n\n"
    assert mask.feed(b"data: Bear") == b"data: "
    assert mask.feed(b"s\n") == b"Bears\n"
    assert mask.end() == b""


def test_parts_of_a_header_are_secrets_too() -> None:
    login = base64.b64encode(b"ann:correct horse").decode()

    assert set(needles("Bearer 0123456789")) == {b"Bearer 0123456789", b"0123456789"}
    assert set(needles("Bearer 1234567")) == {b"Bearer 1234567"}
    assert b"ann:correct horse" in needles(f"Basic {login}")
    assert b"correct horse" in needles(f"Basic {login}")
    assert b'a\\"b' in needles('a"b')

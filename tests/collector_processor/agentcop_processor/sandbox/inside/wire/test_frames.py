"""A message and its frames arrive as they were sent; what is none is refused before it is read."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.inside.wire import frames

_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def _reader(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


def _sent(message: dict[str, object], *raw: bytes) -> bytes:
    return b"".join(bytes(piece) for piece in frames.packed(message, raw))


@given(st.dictionaries(st.text().filter(lambda key: key != "frames"), _plain), st.lists(st.binary(), max_size=3))
def test_a_message_arrives_as_it_was_sent(message: dict[str, object], raw: list[bytes]) -> None:
    told, came = frames.receive(_reader(_sent(message, *raw)).read)
    assert came == raw
    assert told == ({**message, "frames": len(raw)} if raw else message)


@given(_plain)
def test_json_is_read_and_written_as_the_standard_library_does(value: object) -> None:
    assert json.loads(frames.dumps(value)) == value
    assert frames.loads(json.dumps(value).encode()) == value


@given(st.binary())
def test_what_is_no_message_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        frames.receive(_reader(len(data).to_bytes(4, "big") + b"!" + data).read)


def test_a_frame_too_long_is_refused_before_it_is_read() -> None:
    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return b"\x01\x00\x00\x01"

    with pytest.raises(frames.BadFrame, match="16777217 bytes"):
        frames.receive(read)
    assert asked == [4]


@pytest.mark.parametrize("count", [-1, 9, 1.0, True, "1", None])
def test_an_impossible_number_of_frames_is_refused(count: object) -> None:
    text = json.dumps({"frames": count}).encode()
    with pytest.raises(frames.BadFrame, match="number of frames"):
        frames.receive(_reader(frames.header_of(text) + text).read)


def test_nothing_too_long_is_sent() -> None:
    with pytest.raises(frames.BadFrame, match="at most"):
        frames.packed({}, [bytes(frames.MAX_FRAME + 1)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [[1, float("-inf")]]])
def test_nan_is_no_json(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        frames.dumps(value)


def test_an_object_is_no_json() -> None:
    with pytest.raises(TypeError, match="object is no JSON"):
        frames.dumps(object())


def test_reading_and_writing_json_loads_no_package_for_it() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n"
        "from inside.wire import frames, values\n"
        "assert values.decode(frames.loads(frames.dumps(values.encode((1, 'a'))))) == (1, 'a')\n"
        "print(*sorted({'json', 're', 'typing', 'enum', 'ctypes', 'contextlib', 'pathlib'} & set(sys.modules)))"
    )
    folder = frames.__file__.rsplit("/", 3)[0]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program, folder], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_where_python_lacks_its_own_functions_the_package_does_the_same() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['_json'] = None\n"
        "from inside.wire import frames\n"
        "assert frames.dumps({'a': ['\\xe9', 1.5, None]}) == '{\"a\":[\"\\xe9\",1.5,null]}'.encode()\n"
        "assert frames.loads(b' {\"a\": [1.5]} ') == {'a': [1.5]}\n"
        "for bad in (b'NaN', b'', b'[', b'1 2'):\n"
        "    try: frames.loads(bad)\n"
        "    except ValueError: continue\n"
        "    raise AssertionError(bad)\n"
        "try: frames.dumps(object())\n"
        "except TypeError: print('refused')"
    )
    folder = frames.__file__.rsplit("/", 3)[0]
    done = subprocess.run([sys.executable, "-I", "-c", program, folder], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("refused\n", "")

"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest

from agentcop_policies.document.units import seconds, size


@pytest.mark.parametrize(
    ("written", "value"),
    [("30s", 30), ("15m", 900), ("1h", 3600), ("1d", 86400), ("250ms", 0.25), ("1.5h", 5400), (60, 60), (0.5, 0.5)],
)
def test_durations_are_seconds(written: object, value: float) -> None:
    assert seconds(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1MiB", 1 << 20),
        ("256KiB", 1 << 18),
        ("1MB", 10**6),
        ("1 kB", 1000),
        ("256m", 1 << 28),
        ("2G", 2 << 30),
        (7, 7),
    ],
)
def test_sizes_are_bytes(written: object, value: int) -> None:
    assert size(written) == value


@pytest.mark.parametrize(
    "written", ["", "15", "m", "-1m", "0s", 0, -1, True, None, "1 h", "1w", "\u0661m", float("nan"), "1e3s"]
)
def test_no_other_text_is_a_duration(written: object) -> None:
    with pytest.raises(ValueError, match="expected a duration above zero"):
        seconds(written)


@pytest.mark.parametrize("written", ["", "15", "-1MiB", "0B", 0, -1, True, None, 1.5, "1TB", "1.5MiB", "1 Mib"])
def test_no_other_text_is_a_size(written: object) -> None:
    with pytest.raises(ValueError, match="expected a size above zero"):
        size(written)

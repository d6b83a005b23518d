"""Two policies over one call: the box that both allow, and never a looser one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_processor.sandbox.settings import Disagree, Secret, Settings, meet

if TYPE_CHECKING:
    from agentcop_processor.sandbox.settings import Network

PLACES = ("a.example:443", "b.example:443", "c.example:80")
SECRETS = tuple(Secret(place=place, header="Authorization", value=place) for place in PLACES)
SIZES = ("timeout", "memory", "pids", "cpus", "tmpfs", "max_result", "max_stdout", "pool")

networks = st.one_of(st.sampled_from(["public", "none"]), st.lists(st.sampled_from(PLACES), unique=True).map(tuple))


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), unique=True).map(tuple)


boxes = st.builds(
    Settings,
    mode=st.sampled_from(["container", "process"]),
    network=networks,
    secrets=some(SECRETS),
    mounts=some(("/a:/a", "/b:/b:ro", "/b:/b:rw")),
    env=some(("HOME", "TOKEN")),
    reuse=st.sampled_from(["never", "per_agent"]),
    fallback=st.booleans(),
    image_digest=st.sampled_from(["", "sha256:1"]),
    **{size: st.integers(1, 9) for size in SIZES},
)


def reaches(network: Network, place: str) -> bool:
    return network == "public" or (network != "none" and place in network)


@given(boxes, boxes)
def test_what_either_policy_forbids_the_box_of_both_forbids(one: Settings, other: Settings) -> None:
    both = meet(one, other)
    for each in (one, other):
        assert all(getattr(both, size) <= getattr(each, size) for size in SIZES)
        assert set(both.secrets) <= set(each.secrets)
        assert set(both.mounts) <= set(each.mounts)
        assert set(both.env) <= set(each.env)
        assert both.mode == "container" or each.mode == "process"
        assert both.reuse == "never" or each.reuse == "per_agent"
        assert not both.fallback or each.fallback
        assert both.image_digest == each.image_digest or not each.image_digest
    for place in PLACES:
        assert reaches(both.network, place) == (reaches(one.network, place) and reaches(other.network, place))


@given(boxes)
def test_a_policy_that_judges_twice_changes_nothing(one: Settings) -> None:
    assert meet(one, replace(one)) == one


@pytest.mark.parametrize("key", ["image", "image_digest", "runtime"])
def test_two_policies_that_name_different_images_or_runtimes_get_no_box(key: str) -> None:
    one, other = (replace(Settings(), **{key: value}) for value in ("one", "other"))  # type: ignore[arg-type]  # all are text
    with pytest.raises(Disagree, match=key):
        meet(one, other)


def test_a_policy_whose_mode_has_no_image_disagrees_with_nobodys() -> None:
    process, container = Settings(mode="process"), Settings(mode="container", image="registry.example/box:1")
    for both in (meet(process, container), meet(container, process)):
        assert (both.mode, both.image) == ("container", "registry.example/box:1")


def test_a_secret_does_not_show_in_what_is_printed() -> None:
    secret = Secret(place="a.example:443", header="Authorization", value="canary-7421")
    assert "canary-7421" not in repr(Settings(secrets=(secret,)))

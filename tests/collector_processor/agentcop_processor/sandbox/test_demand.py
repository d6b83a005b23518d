"""What a policy's `sandbox` section says is what its boxes are made of, key by key."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from agentcop_core.errors import PolicyError
from agentcop_policies import load_policy
from agentcop_policies.document.sections import Sandbox
from agentcop_processor.sandbox.boxes import pool
from agentcop_processor.sandbox.demand import demanded, settings_of
from agentcop_processor.sandbox.inside.wire.frames import MAX_FRAME
from agentcop_processor.sandbox.settings import Secret, Settings, meet

if TYPE_CHECKING:
    from pathlib import Path

    from agentcop_policies import Policy

PIN = f"sha256:{'a' * 64}"
EVERY_KEY = f"""
  mode: container
  image: registry.example/box:1
  image_digest: {PIN}
  timeout: 2m
  memory: 64MiB
  pids: 9
  cpus: 0.5
  tmpfs: 2MiB
  max_result: 3KiB
  max_stdout: 4KiB
  network: {{allow: ["api.example:443"]}}
  secrets: [{{host: "api.example:443", header: Authorization, value: "Bearer ${{TOKEN_OF_A_TEST}}"}}]
  mounts: ["./data:/data", "/srv/more:/more:rw"]
  env: [LANG]
  reuse: per_agent
  pool: 3
  runtime: runsc
  tools: ["search_*", refund]
  fallback: process
  acknowledge_unsandboxed: true
"""


def read(folder: Path, section: str) -> Policy:
    file = folder / "policy.yaml"
    file.write_text(f"agent_id: a\ngate: {{default: allow}}\nsandbox:{section}\n", encoding="utf-8")
    return load_policy(file)


def test_every_key_of_the_section_decides_what_a_box_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_A_TEST", "t0ken")
    made = settings_of(read(tmp_path, EVERY_KEY))
    assert made == Settings(
        mode="container",
        image="registry.example/box:1",
        image_digest=PIN,
        timeout=120.0,
        memory=64 << 20,
        pids=9,
        cpus=0.5,
        tmpfs=2 << 20,
        max_result=3 << 10,
        max_stdout=4 << 10,
        network=("api.example:443",),
        secrets=(Secret(place="api.example:443", header="Authorization", value="Bearer t0ken"),),
        mounts=(f"{tmp_path}/data:/data", "/srv/more:/more:rw"),
        env=("LANG",),
        reuse="per_agent",
        pool=3,
        runtime="runsc",
        fallback=True,
    )
    assert not [key for key in made.__slots__ if getattr(made, key) == getattr(Settings(), key) and key != "mode"]
    # Which calls get a box, and whether a policy without one is meant, is decided before there are settings.
    written = {each.name for each in fields(Sandbox)}
    assert written - set(made.__slots__) == {"tools", "acknowledge_unsandboxed"}


def test_only_the_tools_that_the_section_names_get_a_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_A_TEST", "t0ken")
    policy = read(tmp_path, EVERY_KEY)
    boxed = [tool for tool in ("search_web", "refund", "refunds", "mail") if demanded([policy], tool) is not None]
    assert boxed == ["search_web", "refund"]


@pytest.mark.parametrize(
    ("key", "most"),
    [("max_result", MAX_FRAME), ("max_stdout", MAX_FRAME), ("pool", pool._MOST)],  # noqa: SLF001 -- what holds there
)
def test_a_policy_may_ask_for_no_more_than_a_box_or_the_pool_gives(tmp_path: Path, key: str, most: int) -> None:
    assert settings_of(read(tmp_path, f" {{{key}: {most}}}")) is not None
    with pytest.raises(PolicyError, match="no more than"):
        read(tmp_path, f" {{{key}: {most + 1}}}")


def test_a_pin_is_the_same_with_and_without_the_name_of_its_hash(tmp_path: Path) -> None:
    bare, whole = (settings_of(read(tmp_path, f" {{image_digest: '{pin}'}}")) for pin in (PIN[7:], PIN))
    assert bare is not None
    assert whole is not None
    assert meet(bare, whole).image_digest == PIN

"""The compose file is one that an engine takes, says the same image as everything else, and shows nothing to a network.

No container engine is needed, and so none proves that the image starts; the Compose Specification's own grammar does
prove that each line means what it says.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).resolve().parents[3]
TEXT = (resources.files("agentcop_dashboards") / "compose.yaml").read_text(encoding="utf-8")
JAEGER = yaml.safe_load(TEXT)["services"]["jaeger"]
IMAGE = re.compile(r"\S+/jaegertracing/jaeger:[\w.]+")


def _with_the_agent_that_is_commented_out() -> str:
    above, heading, below = TEXT.partition("# An agent in a service of its own")
    assert heading
    agent = "".join(line.removeprefix("#").removeprefix(" ") for line in below.splitlines(keepends=True)[1:])
    return above + agent


def test_it_keeps_to_the_compose_specification() -> None:
    composed = PyCompose.from_yaml(TEXT)
    composed.validate()
    assert composed.service_names() == ["jaeger"]


def test_so_does_the_agent_that_it_shows() -> None:
    composed = PyCompose.from_yaml(_with_the_agent_that_is_commented_out())
    composed.validate()
    assert sorted(composed.service_names()) == ["jaeger", "my-agent"]


def test_the_agent_reaches_jaeger_by_its_name_and_on_its_otlp_port() -> None:
    agent = yaml.safe_load(_with_the_agent_that_is_commented_out())["services"]["my-agent"]
    assert agent["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://jaeger:4318"
    assert agent["environment"]["AGENTCOP_ENABLED"] == "1"
    mounted = [volume.split(":")[1] for volume in agent["volumes"]]
    assert mounted == [agent["environment"]["AGENTCOP_POLICY"], agent["environment"]["AGENTCOP_HOME"]]


def test_its_pages_and_both_otlp_ports_are_open_to_this_machine_alone() -> None:
    published = [port.rsplit(":", 2) for port in JAEGER["ports"]]
    assert sorted(inside for _, _, inside in published) == ["16686", "4317", "4318"]
    assert all(outside == inside for _, outside, inside in published)
    assert {address for address, _, _ in published} == {"127.0.0.1"}


def test_it_is_ready_only_when_jaeger_answers() -> None:
    assert JAEGER["healthcheck"]["test"][-1] == "http://127.0.0.1:13133/status"


def test_every_place_that_names_jaeger_names_the_same_image() -> None:
    pages = [ROOT / "README.md", *(ROOT / "examples").rglob("*.py"), *(ROOT / "examples").rglob("*.md")]
    named = {image.strip("`\"'") for page in pages for image in IMAGE.findall(page.read_text(encoding="utf-8"))}
    assert named == {JAEGER["image"]}

"""A public function opens whatever path it is given.

## What it does
Tells of public functions that pass a whole path on to `open` and the like. It is a note for whoever wires such a
function to a tool: there it becomes AC121.

## Why is this bad?
What is a convenience for a programmer is a way to every file for a model. Nothing in the function keeps it to a
folder.

## Example
    def load(path: str) -> str:
        return open(path).read()

## Use instead
    def load(name: str) -> str:
        path = (ROOT / name).resolve()
        if not path.is_relative_to(ROOT):
            raise ValueError("outside the folder")
        return path.read_text()

## References
- https://cwe.mitre.org/data/definitions/73.html
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC126",
    slug="caller-chosen-path",
    severity="LOW",
    cwe=(73,),
    asi=(2,),
    doc=__doc__,
    danger="path",
    shares="AC121",
    whole=at("LOW", "public"),
    joined={},
    message="{source} is the path of {sink}",
    fix="Take a name below a folder instead of a path, if a tool is to use it.",
)

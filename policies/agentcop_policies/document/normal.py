"""The normal form of a policy: what it says beyond the defaults. Its digest and its dump are taken from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import yaml

    from agentcop_policies.models import PolicyDocument

# PyYAML quotes those of these that are truth values to it.
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)


def normal(document: PolicyDocument) -> dict[str, object]:
    """Plain values: dict, list, str, int, float, bool. Loading them gives an equal document.

    What equals its default is left out, so a key that a later version adds changes no digest.
    """
    return _section(document)


def digest(document: PolicyDocument) -> str:
    """SHA-256 (hex) over the normal form as sorted-key JSON. Secrets count as they are written."""
    text = json.dumps(normal(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def dump(document: PolicyDocument) -> str:
    """The document as YAML that loads to an equal one."""
    import yaml

    return yaml.dump(normal(document), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100)


def _section(section: object) -> dict[str, object]:
    found: dict[str, object] = {}
    for field in dataclasses.fields(section):  # type: ignore[arg-type]  # called with our dataclasses only
        value = getattr(section, field.name)
        # A gate that only blocks does not load without its default.
        if field.name != "default" and field.default is not dataclasses.MISSING and value == field.default:
            continue
        if field.default_factory is not dataclasses.MISSING and value == field.default_factory():
            continue
        found[field.name.rstrip("_")] = _plain(value)
    return found


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = _section(value)
        # A rule or a sink of nothing but its tool is written as that.
        return found["tool"] if set(found) == {"tool"} else found
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _dumper() -> type[yaml.SafeDumper]:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes no alias, and quotes whatever some reader of YAML might take for more than text."""

        def ignore_aliases(self, _data: object) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if _WORD.fullmatch(value) else '"')

    Dumper.add_representer(str, text)
    return Dumper

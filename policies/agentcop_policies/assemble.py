"""The last step of every load: a checked document is compiled and becomes a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_policies.document.normal import digest
from agentcop_policies.judging.compiled import compile_policy
from agentcop_policies.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentcop_policies.models import PolicyDocument
    from agentcop_policies.unenforced import Unenforced


def assemble(  # noqa: PLR0913 -- what a policy is made of
    document: PolicyDocument,
    *,
    source: str,
    folder: Path,
    files: tuple[Path, ...] = (),
    places: Mapping[str, str],
    warnings: tuple[str, ...] = (),
    demands: tuple[Unenforced, ...] = (),
) -> Policy:
    """The policy of a document without problems; `places`: rule → `file:line:col`."""
    fingerprint = digest(document)
    compiled = compile_policy(
        document, at=lambda rule: places.get(rule, ""), folder=folder, digest=fingerprint, unenforced=demands
    )
    return Policy(
        document=document,
        source=source,
        folder=folder,
        files=files,
        digest=fingerprint,
        warnings=warnings,
        unenforced=demands,
        _places=places,
        _compiled=compiled,
    )

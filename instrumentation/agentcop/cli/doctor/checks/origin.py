"""Whether the packages that judge are the ones that were installed."""

from __future__ import annotations

import base64
import hashlib
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Final

import agentcop
from agentcop.cli.doctor.checks.found import failed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcop.cli.doctor.checks.found import Context, Found

_DISTRIBUTION: Final = "agentcop-runtime"
_OURS: Final = "agentcop"


def check(context: Context) -> Iterator[Found]:  # noqa: ARG001 -- as every check
    """Each of our packages is found where the distribution lies, and its files are as they were installed."""
    found = list(metadata.distributions(name=_DISTRIBUTION))
    if not found:
        yield failed("origin", f"no {_DISTRIBUTION} is installed here: this agentcop cannot say where it comes from")
        return
    distribution = found[0]
    roots = _editable_roots(distribution) or [Path(str(distribution.locate_file(""))).resolve()]
    strangers = list(_strangers(roots))
    changed = list(_changed(distribution))
    yield from (failed("origin", stranger) for stranger in strangers)
    yield from (failed("origin", f"{path} is not as it was installed") for path in changed[:5])
    if len(changed) > 5:  # noqa: PLR2004 -- as many as are named
        yield failed("origin", f"{len(changed) - 5} more files are not as they were installed")
    if not strangers and not changed:
        how = "an editable install" if _editable_roots(distribution) else "every file as installed"
        folder = Path(str(agentcop.__file__)).resolve().parent
        yield ok("origin", f"{_DISTRIBUTION} {distribution.version}, {folder}, {how}")


def _editable_roots(distribution: metadata.Distribution) -> list[Path]:
    """The folders that an editable install puts on the import path; none for a wheel."""
    roots: list[Path] = []
    for file in distribution.files or ():
        if file.suffix == ".pth":
            lines = Path(str(distribution.locate_file(file))).read_text(encoding="utf-8").splitlines()
            roots += [Path(line).resolve() for line in lines if line.strip() and not line.startswith("import ")]
    return roots


def _strangers(roots: list[Path]) -> Iterator[str]:
    """Packages of our names that are found elsewhere; from there they judge, or do not."""
    expected = {
        folder.name: folder for root in roots for folder in root.glob(f"{_OURS}*") if (folder / "__init__.py").is_file()
    }
    if _OURS not in expected:
        yield f"there is no {_OURS} in {', '.join(map(str, roots))}, where it was installed"
    for name, folder in sorted(expected.items()):
        spec = util.find_spec(name)
        place = Path(spec.origin).resolve().parent if spec is not None and spec.origin else None
        if place != folder:
            yield f"{name} is imported from {place}, and was installed in {folder}"


def _changed(distribution: metadata.Distribution) -> Iterator[str]:
    """Our files whose hash is not the one in RECORD, or that are gone; those without a hash there are not looked at.

    The command's own small script is not either: an install by --target puts it elsewhere than it writes down.
    """
    for file in distribution.files or ():
        if not file.parts[0].startswith(_OURS) or file.hash is None or file.hash.mode != "sha256":
            continue
        try:
            digest = hashlib.sha256(Path(str(file.locate())).read_bytes()).digest()
        except OSError:
            yield str(file)
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            yield str(file)

"""The image of an environment: its own interpreter, the libraries that needs, and its packages; made of a real one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentcop_processor.sandbox.image import CannotBuild
from agentcop_processor.sandbox.image.baked import Baked, build_baked
from agentcop_processor.sandbox.image.interpreter import find_interpreter
from sandbox_image import Image, read_image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

SHORT = ".".join(map(str, sys.version_info[:2]))
SITE = f"opt/venv/lib/python{SHORT}/site-packages"


def make_venv(folder: Path, *options: str) -> Path:
    base = sys._base_executable  # type: ignore[attr-defined]  # noqa: SLF001 -- what `venv` itself asks for
    subprocess.run([base, "-m", "venv", "--without-pip", *options, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Baked, Image]:
    folder = tmp_path_factory.mktemp("baked")
    venv = make_venv(folder / "venv")
    site = venv / f"lib/python{SHORT}/site-packages"
    (site / "mine.py").write_text("VALUE = 42\n")
    (site / "broken.py").write_text("this is no Python\n")
    (site / "needs.pth").write_text("import sys; sys.exit('run while the image was made')\n")
    (site / ".env").write_text("TOKEN=hunter2\n")
    (folder / "work").mkdir()
    made = build_baked(venv, folder / "work")
    return made, read_image(made.built.path)


def test_the_interpreter_is_the_environments_and_python3_leads_to_it(baked: tuple[Baked, Image]) -> None:
    made, image = baked
    program = str(made.interpreter.program)[1:]
    assert image.members[program].mode == 0o755
    assert image.members["usr/bin/python3"].linkname == f"/{program}" or program == "usr/bin/python3"
    assert made.interpreter.short == SHORT
    assert image.config["config"]["Labels"]["agentcop.python"] == made.interpreter.version


def test_its_packages_are_found_by_the_interpreter_and_compiled(baked: tuple[Baked, Image]) -> None:
    made, image = baked
    path_file = f"{str(made.interpreter.stdlib[0])[1:]}/site-packages/agentcop-venv.pth"
    assert image.texts[path_file] == f"import site; site.addsitedir('/{SITE}')\n".encode()
    code = image.texts[f"{SITE}/__pycache__/mine.cpython-{SHORT.replace('.', '')}.pyc"]
    assert code[4:8] == b"\x01\x00\x00\x00"  # by hash, and not held against the source
    assert f"/{SITE}/mine.py".encode() in code
    assert f"{SITE}/broken.py" in image.members


def test_no_code_of_the_environment_ran_and_no_secret_of_it_is_in_the_image(baked: tuple[Baked, Image]) -> None:
    _, image = baked
    assert f"{SITE}/needs.pth" in image.texts
    assert f"{SITE}/.env" not in image.members
    assert not any(b"hunter2" in text for text in image.texts.values())


def test_the_libraries_it_needs_are_there_with_the_loader_and_a_shell(baked: tuple[Baked, Image]) -> None:
    made, image = baked
    names = {path.rpartition("/")[2] for path in image.members}
    assert any(name.startswith(("libc.so.", "ld-musl-")) for name in names)
    assert "usr/bin/sh" in image.members
    assert "etc/ssl/certs/ca-certificates.crt" in image.members
    assert made.absent == ()


def test_the_parts_of_the_library_that_no_call_needs_are_not(baked: tuple[Baked, Image]) -> None:
    made, image = baked
    library = str(made.interpreter.stdlib[0])[1:]
    assert f"{library}/json/decoder.py" in image.members
    assert not any(path.startswith((f"{library}/test/", f"{library}/idlelib/")) for path in image.members)
    assert not any(path.endswith(".a") for path in image.members)
    assert [path for path, each in image.members.items() if not each.issym() and each.mode & 0o6022] == ["tmp"]


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="no virtual environment"):
        find_interpreter(tmp_path)


def test_an_environment_that_uses_the_systems_packages_is_refused(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", "--system-site-packages")
    with pytest.raises(CannotBuild, match="without --system-site-packages"):
        find_interpreter(venv)


def test_an_environment_whose_python_is_gone_is_refused(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv")
    for program in (venv / "bin").glob("python*"):
        program.unlink()
    with pytest.raises(CannotBuild, match="does not say what it is"):
        find_interpreter(venv)


def test_the_same_environment_gives_the_same_image(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv")
    ids = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        ids.add(build_baked(venv, tmp_path / name).built.id)
    assert len(ids) == 1

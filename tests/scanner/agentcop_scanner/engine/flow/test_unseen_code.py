"""Ways that text takes in code which the engine was not made on: each is found, and its mended form is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scan_trees import findings_in, written

if TYPE_CHECKING:
    from pathlib import Path

LOUD = ("MEDIUM", "HIGH", "CRITICAL")


def loud(folder: Path, source: str, rule: str) -> list[int]:
    """The lines where a rule speaks at MEDIUM and up."""
    written(folder, {"code.py": source})
    return [one.place.line for one in findings_in(folder, rule) if one.severity in LOUD]


CASES = {
    "the first character of a text says nothing of the rest": (
        "AC102",
        """
def parse(tokens: list[str]) -> list:
    found = []
    for token in tokens:
        if token[0] == "{" and token[-1] == "}":
            found.append(eval(token[1:-1]))
    return found
""",
        """
def parse(tokens: list[str]) -> list:
    found = []
    for token in tokens:
        if token == "{1}":
            found.append(eval(token))
    return found
""",
    ),
    "git is git, whatever its object was made of": (
        "AC113",
        """
@server.call_tool()
async def call_tool(name: str, arguments: dict) -> str:
    repo = git.Repo(arguments["path"])
    return repo.git.diff(arguments["target"])
""",
        """
@server.call_tool()
async def call_tool(name: str, arguments: dict) -> str:
    repo = git.Repo(arguments["path"])
    target = arguments["target"]
    if target.startswith("-"):
        raise ValueError(target)
    return repo.git.diff(target)
""",
    ),
    "what a method gives that only raises is known below": (
        "AC161",
        """
import pickle

class Listener:
    def _listen(self):
        raise NotImplementedError

    def run(self):
        for message in self._listen():
            yield pickle.loads(message)
""",
        """
import pickle

class Listener:
    def _listen(self):
        return [pickle.dumps(1)]

    def run(self):
        for message in self._listen():
            yield pickle.loads(message)
""",
    ),
    "the message of a gRPC method comes over the network": (
        "AC121",
        """
class Files(pb2_grpc.FilesServicer):
    def download(self, request, context: grpc.ServicerContext):
        with open(request.value, "rb") as file:
            yield file.read()
""",
        """
class Files(pb2_grpc.FilesServicer):
    def download(self, request, context: grpc.ServicerContext):
        path = (ROOT / request.value).resolve()
        if not path.is_relative_to(ROOT):
            context.abort(5, "not found")
            return
        with open(path, "rb") as file:
            yield file.read()
""",
    ),
    "the other side chooses the file name in Content-Disposition": (
        "AC122",
        """
import os, re, requests

def fetch(folder: str) -> None:
    reply = requests.get(URL)
    said = reply.headers.get("Content-Disposition")
    name = re.search("filename=(.+)", said)[1].strip()
    open(os.path.join(folder, name), "wb").write(reply.content)
""",
        """
import os, re, requests

def fetch(folder: str) -> None:
    reply = requests.get(URL)
    said = reply.headers.get("Content-Disposition")
    name = re.search("filename=(.+)", said)[1].strip()
    if os.path.basename(name) != name:
        raise ValueError(name)
    open(os.path.join(folder, name), "wb").write(reply.content)
""",
    ),
    "text that does not begin like a picture may be any address": (
        "AC131",
        """
import re, requests

def picture(url: str) -> bytes:
    if re.match(r"^data:image/png;base64,", url):
        return b""
    return requests.get(url).content
""",
        """
import re, requests

def picture(url: str) -> bytes:
    if not re.fullmatch(r"[a-z0-9]+", url):
        raise ValueError(url)
    return requests.get(url).content
""",
    ),
    "a name after a package chooses among its modules only": (
        "AC107",
        """
import importlib

def load(name: str) -> object:
    return importlib.import_module("plugins_" + name)
""",
        """
import importlib

def load(name: str) -> object:
    return importlib.import_module(f"agent.backends.{name}.chat")
""",
    ),
    "the program's own source chooses what it asks a module for": (
        "AC108",
        """
import importlib

def take(name: str) -> object:
    return getattr(importlib.import_module("agent.models"), name)
""",
        """
import importlib

def __getattr__(name: str) -> object:
    return getattr(importlib.import_module("agent.models"), name)
""",
    ),
    "what follows an option of git is its value": (
        "AC113",
        """
@mcp.tool()
def log(repo: git.Repo, since: str) -> str:
    return repo.git.log("--max-count=3", since)
""",
        """
@mcp.tool()
def log(repo: git.Repo, since: str, until: str) -> str:
    options = []
    if since:
        options.extend(["--since", since])
    if until:
        options.extend(["--until", until])
    return repo.git.log(*options)
""",
    ),
    "a folder that ends with a separator where it gets its name": (
        "AC123",
        """
def inside(path: str, base_dir: str) -> bool:
    base_dir = base_dir.strip()
    return path.startswith(base_dir)
""",
        """
def inside(path: str, base_dir: str) -> bool:
    base_dir = base_dir if base_dir.endswith("/") else f"{base_dir}/"
    return path.startswith(base_dir)
""",
    ),
    "lxml resolves entities where no parser is given": (
        "AC165",
        """
from lxml import etree

def style(path: str) -> object:
    return etree.XSLT(etree.parse(path))
""",
        """
from lxml import etree

def style(path: str) -> object:
    return etree.XSLT(etree.parse(path, etree.XMLParser(resolve_entities=False)))
""",
    ),
    "a terminal behind a socket that asks nobody": (
        "AC181",
        """
import os, pty

@router.websocket("/ws")
async def terminal(websocket: WebSocket) -> None:
    await websocket.accept()
    child, number = pty.fork()
    await pump(websocket, number)
""",
        """
import os, pty

@router.websocket("/ws")
async def terminal(websocket: WebSocket) -> None:
    if not validate_auth(websocket):
        await websocket.close(1008)
        return
    await websocket.accept()
    child, number = pty.fork()
    await pump(websocket, number)
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_is_found(tmp_path: Path, name: str) -> None:
    rule, bad, _ = CASES[name]
    assert loud(tmp_path, bad, rule)


@pytest.mark.parametrize("name", CASES)
def test_is_silent_where_it_is_mended(tmp_path: Path, name: str) -> None:
    rule, _, good = CASES[name]
    assert not loud(tmp_path, good, rule)

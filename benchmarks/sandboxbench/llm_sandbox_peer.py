"""The peer's side, run by the peer's own interpreter: `cold`, `warm` or `end` a line in, seconds a line out.

llm-sandbox as its README has it, on the image and the engine that it is given: `with SandboxSession(...) as session:
session.run(code)`. It calls the interpreter `python`, so the image gets one link of that name.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import time

import docker
from llm_sandbox import SandboxSession

_TAG = "agentcop-bench-peer:1"
_CODE = "print(5)"


def _linked(client: docker.DockerClient, image: str) -> None:
    """The same image with a link from `python` to `python3`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        link = tarfile.TarInfo("python")
        link.type, link.linkname = tarfile.SYMTYPE, "python3"
        tar.addfile(link)
    container = client.containers.create(image, "python3")
    try:
        container.put_archive("/usr/bin", archive.getvalue())
        container.commit(*_TAG.split(":"))
    finally:
        container.remove(force=True)


def _session(client: docker.DockerClient) -> SandboxSession:
    return SandboxSession(
        client=client,
        image=_TAG,
        lang="python",
        keep_template=True,
        workdir="/tmp",  # noqa: S108 -- in the container, where the default folder does not exist
        skip_environment_setup=True,  # it would install packages from the network
        runtime_configs={"network_mode": "none"},
    )


def _run(session: SandboxSession) -> None:
    answer = session.run(_CODE)
    if answer.stdout.strip() != "5":
        raise SystemExit(f"llm-sandbox gave {answer.stdout!r} {answer.stderr!r}")


def main() -> None:
    """Serve until `end`."""
    engine, image = sys.argv[1:]
    client = docker.DockerClient(base_url=engine, version="1.41")
    _linked(client, image)
    kept = _session(client)
    kept.open()
    opened: list[SandboxSession] = [kept]
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        if line.strip() == "cold":
            session = _session(client)
            session.open()
            opened.append(session)
            _run(session)
        elif line.strip() == "warm":
            _run(kept)
        else:
            break
        print(time.perf_counter() - began, flush=True)
    # Its own close waits ten seconds a session for a shell to end.
    for session in opened:
        session.container.remove(force=True)
    client.images.remove(_TAG, force=True)
    os._exit(0)


if __name__ == "__main__":
    main()

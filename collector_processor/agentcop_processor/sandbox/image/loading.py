"""From an archive to an image that an engine can start boxes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentcop_processor.sandbox.image import CannotBuild

if TYPE_CHECKING:
    from agentcop_processor.sandbox.image.archive import Built

_SECONDS: Final = 600
"""For one answer; an environment may be some gigabytes."""


def load(socket: str, built: Built, tag: str) -> None:
    """Have the image under `tag` in the engine at this socket. One that had the tag stays, unnamed: policies pin ids.

    Sends nothing where the engine has the image. Blocks for seconds; raises CannotBuild.
    """
    try:
        from docker import APIClient
        from docker.errors import DockerException, NotFound
    except ImportError:
        raise CannotBuild("this needs the Docker SDK: pip install 'agentcop-runtime[sandbox]'") from None
    try:
        client = APIClient(base_url=f"unix://{socket}", timeout=_SECONDS)
        try:
            try:
                client.inspect_image(built.id)
            except NotFound:
                with built.path.open("rb") as archive:
                    for _ in client.load_image(archive):
                        pass
            name, _, version = tag.rpartition(":") if ":" in tag.rpartition("/")[2] else (tag, "", "latest")
            client.tag(built.id, name, version)
            loaded = str(client.inspect_image(tag)["Id"]).removeprefix("sha256:")
        finally:
            client.close()
    except NotFound as error:
        raise CannotBuild(f"the engine loaded something else than {built.id}: {error}") from error
    except (DockerException, OSError) as error:  # what requests raises is an OSError
        raise CannotBuild(f"the engine did not take the image: {error}") from error
    if loaded != built.id.removeprefix("sha256:"):
        raise CannotBuild(f"the engine has another image as {tag}: sha256:{loaded}")

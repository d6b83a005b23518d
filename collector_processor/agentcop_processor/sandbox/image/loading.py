"""From an archive to an image that an engine can start boxes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentcop_processor.sandbox.image import CannotBuild

if TYPE_CHECKING:
    from docker import DockerClient

    from agentcop_processor.sandbox.image.archive import Built


def load(client: DockerClient, built: Built, tag: str) -> None:
    """Have the image in this engine under `tag`. An image that had the tag stays, without it: a policy may pin it.

    Sends nothing where the engine has the image. Blocks for seconds; raises CannotBuild.
    """
    from docker.errors import DockerException, ImageNotFound  # what requests raises besides is an OSError

    try:
        try:
            image = client.images.get(built.id)
        except ImageNotFound:
            with built.path.open("rb") as archive:
                for _ in client.api.load_image(archive):
                    pass
            image = client.images.get(built.id)
        name, _, version = tag.rpartition(":") if ":" in tag.rpartition("/")[2] else (tag, "", "latest")
        if image.id != built.id or not image.tag(name, version):
            raise CannotBuild(f"the engine did not take the image as {tag}")
    except ImageNotFound as error:
        raise CannotBuild(f"the engine loaded something else than {built.id}: remove the cached archive") from error
    except (DockerException, OSError) as error:
        raise CannotBuild(f"the engine did not take the image: {error}") from error

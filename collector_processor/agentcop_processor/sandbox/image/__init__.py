"""The container image, made without a registry: of Debian's packages (`plain`), or of a virtual environment (`baked`).

Both fill a `Tree` and hand it to `archive`, which writes what an engine loads. The image's id is the hash of what is in
it: the same on Docker and Podman, and on every machine that builds from the same packages.
"""

from __future__ import annotations

from typing import Final

from agentcop_core.errors import AgentCopError

VERSION: Final = "2.0"
PLAIN_TAG: Final = f"agentcop/agent-sandbox:{VERSION}"
"""What a policy's `sandbox.image` is where it says nothing."""
VENV_TAG: Final = f"{PLAIN_TAG}-venv"
"""Another on purpose: a policy that names no image must not come to run in some project's packages."""


class CannotBuild(AgentCopError):  # noqa: N818 -- what cannot be done
    """There is no image: the message says why, and the way out."""

"""`python -m agentcop_processor.sandbox.image URL…`: have the plain image in the engines at these sockets.

What CI calls before the tests with real boxes; people have `agentcop sandbox build`, which finds the engines itself.
Prints the image's id. The archive is kept in `$XDG_CACHE_HOME/agentcop/image` while packages and code are the same.
"""

from __future__ import annotations

import sys

from agentcop_core.errors import AgentCopError
from agentcop_processor.sandbox.image import PLAIN_TAG
from agentcop_processor.sandbox.image.loading import load
from agentcop_processor.sandbox.image.plain import build_plain


def main(urls: list[str]) -> int:
    """0 done, 2 could not."""
    try:
        built, _ = build_plain()
        for url in urls:
            load(url.removeprefix("unix://"), built, PLAIN_TAG)
    except (AgentCopError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{built.id}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the process that is the tool gives up before any of the tool's code: resources, and files it may not change."""

from __future__ import annotations

import resource


def confine(limits):
    def low(what, value):
        resource.setrlimit(what, (value, value))

    low(resource.RLIMIT_AS, limits["as"])
    low(resource.RLIMIT_NPROC, limits["nproc"])
    low(resource.RLIMIT_NOFILE, limits["nofile"])
    low(resource.RLIMIT_FSIZE, limits["fsize"])
    low(resource.RLIMIT_CORE, 0)

"""Starts the supervisor: `python3 -I -S -B /agentcop/inside`, or the file itself, which starts 4 ms sooner (no runpy).

The folder is no installed package here. Its modules get a package of a name that no tool has, so that none of them, and
nothing that lies beside the folder, can be imported in place of a tool's own.
"""

import gc
import sys

PACKAGE = "_agentcop_inside"


def _main() -> int:
    gc.disable()  # there is nothing to collect yet, and looking for it takes half a millisecond
    folder = __file__.rpartition("/")[0]
    if sys.path and sys.path[0] == folder:  # put there where the folder was started, not the file
        del sys.path[0]
    package = type(sys)(PACKAGE)
    package.__path__ = [folder]
    sys.modules[PACKAGE] = package
    status: int = __import__(PACKAGE + ".supervisor", fromlist=["main"]).main()
    return status


if __name__ == "__main__":
    sys.exit(_main())

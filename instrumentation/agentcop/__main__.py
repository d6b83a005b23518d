"""`python -m agentcop` is the command `agentcop`."""

from __future__ import annotations

from agentcop.cli import main

if __name__ == "__main__":
    main(prog_name="agentcop")

"""What runs inside a box, on the standard library alone: the supervisor, pid 1, and the child that is the tool.

Mounted read-only at `/agentcop/inside` and started as `python3 -I -S -B /agentcop/inside/__main__.py`; it imports
nothing of AgentCop. `supervisor` forks a process a call (`forked`, over `wire.pipes`), keeps its time, kills it and
`wipe`s its traces; `facts` are what it says of the box, `relay` is the way out. `child` is that process: `confine`
limits it, `tool` makes and runs what was asked for. Only `wire.values` and `wire.frames` are used on the host as well.
"""

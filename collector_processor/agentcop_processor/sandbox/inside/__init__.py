"""What runs inside a box, on the standard library alone: the supervisor, pid 1, and the child that is the tool.

Mounted read-only at `/agentcop/inside` and started as `python3 -I -S -B /agentcop/inside`; it imports nothing of
AgentCop. Only `values` and `frames` are used on the host as well.
"""

"""`agentcop scan`: the command, and the scan behind it."""

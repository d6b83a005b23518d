"""`agentcop run`: the command, and which Python it starts."""

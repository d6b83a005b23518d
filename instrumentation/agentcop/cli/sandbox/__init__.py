"""`agentcop sandbox`: the command, and what it says."""

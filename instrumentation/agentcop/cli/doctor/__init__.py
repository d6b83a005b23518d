"""`agentcop doctor`: the command, what it looks at, how it tries the seams, and what it prints."""

"""`agentcop alerts`: the command, where it looks, what it prints, and the test alert that it sends."""

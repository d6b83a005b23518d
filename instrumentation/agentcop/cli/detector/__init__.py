"""`agentcop detector`: the command, and the pages that the service shows."""

"""`agentcop gate`: the command, and gate.log for a person."""

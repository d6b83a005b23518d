"""What `agentcop scan --fix` writes: one file a rule, one file of the user's at a time, nothing that is in doubt."""

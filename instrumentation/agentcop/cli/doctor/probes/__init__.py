"""How `agentcop doctor` finds out whether a denied tool call really does not run, in each seam of each framework."""

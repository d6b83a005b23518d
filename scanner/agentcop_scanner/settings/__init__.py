"""What the settings of agents and editors say: which servers they start, with which commands and secrets."""

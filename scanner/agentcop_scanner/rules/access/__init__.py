"""Who may reach an agent, and as whom."""

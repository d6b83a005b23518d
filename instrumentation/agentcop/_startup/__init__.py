"""The scan when a program starts: which files are the agent's own, and what their weaknesses lead to."""

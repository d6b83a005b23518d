"""Runs, verdicts, alerts and what is remembered of each agent, in a database."""

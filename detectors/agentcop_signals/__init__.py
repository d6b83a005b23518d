"""Cheap causal signals of one call, computed in the agent's process. Nothing is built here yet."""

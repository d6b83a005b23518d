"""Configuration of agents, editors and their servers."""

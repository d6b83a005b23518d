"""Calls that no policy could judge: there is none, the arguments do not fit the tool, or the gate itself failed."""

"""Calls: what arrives in them, what they show of the text they are given, what they give."""

"""Data that becomes objects, models or code when it is loaded."""

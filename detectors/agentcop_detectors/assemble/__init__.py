"""From steps to runs and conversations."""

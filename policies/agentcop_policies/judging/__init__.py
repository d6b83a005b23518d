"""From a checked document and a call to a verdict: pure, and in the order that people read."""

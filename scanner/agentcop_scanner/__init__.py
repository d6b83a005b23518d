"""The static scanner: rules, taint engine, trust score, reports."""

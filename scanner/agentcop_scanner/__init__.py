"""The static scanner: rules, taint engine, trust score, reports. Nothing is built here yet."""

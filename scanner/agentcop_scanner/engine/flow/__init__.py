"""One function, followed path by path: statements, expressions, checks."""

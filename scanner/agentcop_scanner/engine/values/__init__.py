"""What is known: of a value, at a point of a function, of a function as its callers see it."""

"""What stands behind a `when:`: the expression tree, what may be looked at, and the three helpers."""

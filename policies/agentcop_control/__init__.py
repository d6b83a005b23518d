"""What people decide at run time: approvals, freeze, tighten. Nothing is built here yet."""

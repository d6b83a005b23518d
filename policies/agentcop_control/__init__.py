"""What people decide at run time: approvals; freeze and tighten are not in this build."""

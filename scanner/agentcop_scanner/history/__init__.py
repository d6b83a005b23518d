"""What was known before: a baseline in a file, a commit of the repository."""

"""What is scanned: which files there are, and each as text, tree or document."""

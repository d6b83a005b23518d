"""What an agent may do without anybody looking."""

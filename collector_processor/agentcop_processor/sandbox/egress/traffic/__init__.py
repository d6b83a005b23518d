"""What goes through: heads as they are understood, bytes within bounds, a response without the secret it echoes."""

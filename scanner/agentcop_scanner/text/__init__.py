"""What text gives away: secrets, characters nobody sees, instructions meant for a model and hidden from its user."""

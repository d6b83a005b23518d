"""What people look at: pages of alerts and runs, and the compose file of the servers beside the detector."""

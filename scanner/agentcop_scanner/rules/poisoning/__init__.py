"""What a tool says about itself."""

"""The container image, made without a registry."""

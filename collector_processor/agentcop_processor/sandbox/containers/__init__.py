"""Boxes that are containers: Docker and Podman by their socket."""

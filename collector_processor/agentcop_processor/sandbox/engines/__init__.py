"""What starts boxes and kills them: Docker and Podman over their socket, bubblewrap without a daemon."""

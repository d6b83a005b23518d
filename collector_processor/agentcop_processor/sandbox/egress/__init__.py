"""The one way out of a box: a proxy on the host that resolves, checks and connects by itself."""

"""The files of a scan: which there are, of what kind, and their bytes within limits."""

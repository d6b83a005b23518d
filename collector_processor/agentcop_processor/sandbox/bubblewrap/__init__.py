"""Boxes without a daemon: bubblewrap, and what its child gives up by itself."""

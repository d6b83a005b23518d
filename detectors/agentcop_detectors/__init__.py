"""The detector service: receive, normalise, assemble, score, learn, store. Nothing is built here yet."""

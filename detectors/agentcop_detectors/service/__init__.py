"""The running service: its processes, how they are kept alive and drained, and what they say about themselves.

A small supervisor keeps four processes: `front` receives, writes to disk, acknowledges and reads the spool; `scorer`
reads what is on disk and makes runs, verdicts and alerts of it; `forward`, if asked for, sends the same on to another
OTLP endpoint; `operations` serves health, readiness, metrics, and the pages it is given.
"""

"""The running service: its processes, how they are kept alive and drained, and what they say about themselves.

    supervisor ─┬─ front        receives, writes to disk, acknowledges; reads the spool
                ├─ scorer       reads what is on disk, makes runs, verdicts and alerts
                ├─ forward      sends the same on to another OTLP endpoint; only if asked
                └─ operations   health, readiness, metrics, and the pages it is given
"""

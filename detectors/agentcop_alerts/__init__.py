"""Who is told, and how often: dedupe and roll-up, a spool on disk, and the sinks Slack, e-mail and webhook.

An alert is taken in microseconds (`AlertSender.submit`), folded (`rollup`), put on disk (`outbox`), worded
(`wording`) and handed to its channel (`delivery`, `sinks`). None of the last four happens in a caller's thread.
"""

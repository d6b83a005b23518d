"""Telling a person: dedupe, roll-up, spool, Slack and e-mail. Nothing is built here yet."""

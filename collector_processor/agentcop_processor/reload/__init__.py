"""A policy file that changes while its agent runs: `watched` says when to read it, `policy_file` what becomes of it."""

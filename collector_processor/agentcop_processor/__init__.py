"""The in-process pipeline: judges every tool call before it runs, logs it, and sends its span out."""

"""The built-in protection: no tool argument may lead to what the gate itself rests on.

That is the state folder with all in it (gate.log, approvals, spool), the policy file, and the files it extends, of
every cop of the process. `led_to` looks at every text in a call's arguments, keys and bytes too, as a path and as
something that holds paths: command lines, code, URLs, globs, `~`, `$VAR`, `..`, links, and paths in pieces.

What a value can hide: text that the tool decodes first (base64, a cipher, `"/ho" + "me"`), variables that another
call has set, links in other folders than the working one that a bare name leads to, a program that walks down from a
folder above (`rm -r ~`), live objects, and whatever a tool does on its own. Only a sandbox keeps those out.
"""

from __future__ import annotations

from agentcop_processor.protected.check import led_to, led_to_unread

__all__ = ["led_to", "led_to_unread"]

"""The box that a tool call runs in, where a policy asks for one.

A call travels so: `boxing` orders a box for it, `shipping` makes a `Parcel` of the tool, `boxes` lends a warm box or
opens and probes a new one and says parcel and arguments to it, `inside` runs them, and JSON comes back. `containers`
and `bubblewrap` start boxes and kill them, `engines` chooses between them; `egress` is a box's only way out; `image`
makes what containers start from.

Nothing here is imported before a policy asks for a sandbox.
"""

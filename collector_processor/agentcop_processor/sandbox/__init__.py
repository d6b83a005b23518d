"""The box that a tool call runs in, where a policy asks for one.

A call travels so: `shipping` makes a `Parcel` of the tool, `runner` takes a warm box from its `pool`, the box's
`conversation` sends parcel and arguments, `inside` runs them, and JSON comes back. `containers` and `bubblewrap` start
boxes and kill them, `engines` chooses between them; `probe` reads from each box whether it holds; `egress` is its only
way out; `image` makes what containers start from.

Nothing here is imported before a policy asks for a sandbox.
"""

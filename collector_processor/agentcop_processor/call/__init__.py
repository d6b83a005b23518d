"""The trip of one tool call: request, slot, verdict, passage, and what is recorded of it. `seam` is the way in."""

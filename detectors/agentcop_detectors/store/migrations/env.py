"""What Alembic runs: the connection comes from `store.database`, the target from `store.tables`."""

from __future__ import annotations

from alembic import context

from agentcop_detectors.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()

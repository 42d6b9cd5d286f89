"""Runs the migrations on the connection that `gateway.database.connect` gives."""

from __future__ import annotations

from alembic import context

from gateway.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()

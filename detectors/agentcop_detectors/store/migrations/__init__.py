"""Alembic's migrations of the detector's database."""

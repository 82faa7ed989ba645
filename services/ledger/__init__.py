"""What may not be lost: orders, fills, what was decided about them, watchlists, alerts. SQLAlchemy Core, Alembic."""

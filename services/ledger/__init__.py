"""What may not be lost: watchlists and alerts now, orders and money later. SQLAlchemy Core, upgraded by Alembic."""

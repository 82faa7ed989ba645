"""What can be fetched again, and the token store: pool, schema, quote tier, error log. SQLite by hand, no ORM."""

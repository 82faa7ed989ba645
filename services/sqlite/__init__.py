"""What every room with a SQLite file of its own shares: opening, fair turns, upgrades, safe copies."""

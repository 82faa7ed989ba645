"""What trades cost: dated rate tables as data, an exact engine, a vectorised one, and the contract note of a day."""

"""What things are: instruments, quotes, tokens, sessions, errors. Standard library only; no I/O, no own clock."""

"""What an operator scripts: `python -m services <verb>`. Each verb reads its options, asks the runtime, and tells."""

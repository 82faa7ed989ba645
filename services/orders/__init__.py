"""Orders: sent once, followed to their end, and never guessed.

`desk.py` is what screens and scripts use. `sending.py` brings one decision to the broker and its answer back,
`checking.py` gathers what the checks need, `settling.py` says how a lost answer is found out, `reconciliation.py` is
the thread that does so and keeps the book, `previewing.py` tells what an order would cost.
"""

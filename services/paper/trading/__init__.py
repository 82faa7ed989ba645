"""The paper account: orders, matching against the displayed depth, positions, money, and the file that keeps them."""

"""Live prices, paper orders: whatever is asked of the market is asked of Upstox, with a read-only token; orders and the
account stay on this machine. Only reads of the market are ever passed on, and no path here could place an order."""

"""Quotes for everybody in this process: asked once, shared by all, kept fresh while somebody watches."""

from services.quote_book.book import TTL_SECONDS, QuoteBook

__all__ = ["TTL_SECONDS", "QuoteBook"]

"""The life of the token: how it comes, how long it is good, and how it goes. `auth_manager` is its public face."""

from services.login.held import DEFAULT_USER, EARLY_SECONDS, READ_USER, TokenState, read_token_text
from services.login.login import Login

__all__ = ["DEFAULT_USER", "EARLY_SECONDS", "READ_USER", "Login", "TokenState", "read_token_text"]

"""The guide's name for logging in: `auth_manager`. Thin; what it does is in `services.login`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

if __name__ == "__main__":  # run as a file, Python looks for `services` beside it and not where it is
    import sys
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parents[1])

from services.acting import acting_operator
from services.domain.accounts import Token
from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import InvalidRequest
from services.login import DEFAULT_USER, Login
from services.runtime import get_runtime
from services.self_check import assure, main


class AuthManager:
    """Tokens by user id. Without `login` it works on this process's runtime, asked for at each call."""

    def __init__(self, *, login: Login | None = None) -> None:
        self._given = login

    @property
    def _login(self) -> Login:
        return self._given if self._given is not None else get_runtime().login

    def get_authorization_url(self) -> str:
        """Where the person logs in; the browser comes back to the redirect URI with `code` and `state`."""
        return self._login.authorization_url()

    def exchange_code_for_token(self, code: str, *, state: str | None = None) -> dict[str, object]:
        """The token for the code that came back, kept for the default user and returned as the guide's dict. Give
        `state` too where the code came by a browser callback; a code that a person copied has none."""
        login = self._login
        token = login.complete_typed(code) if state is None else login.complete(code, state)
        return _told(token)

    def save_token(self, user_id: str, token_data: Mapping[str, object]) -> bool:
        """Keep a token for `user_id`: a dict with `access_token`, and `expires_at` (epoch ms) where it is known."""
        secret = token_data.get("access_token")
        if not isinstance(secret, str):
            raise InvalidRequest("token_data needs an access_token")
        acting_operator("log the desk in or out at the broker")
        login = self._login
        token = login.read(secret)
        expires_at = token_data.get("expires_at")
        if isinstance(expires_at, (int, str)) and str(expires_at).isdigit():
            token = replace(token, expires=min(token.expires, from_epoch_ms(int(expires_at))))
        told_id, told_name = token_data.get("user_id"), token_data.get("user_name")
        token = replace(
            token,
            user_id=told_id if isinstance(told_id, str) and told_id else token.user_id,
            user_name=told_name if isinstance(told_name, str) else "",
        )
        login.save(user_id, token)
        return True

    def get_valid_token(self, user_id: str = DEFAULT_USER, *, writes: bool = False) -> str:
        """A token that is good for at least five more minutes. Reads may get the read-only token; ask with
        `writes=True` for one that may trade. Raises `LoginRequired` with the login URL: nothing can refresh a token."""
        return self._login.token(writes, user_id=user_id).secret

    def revoke_token(self, user_id: str = DEFAULT_USER) -> bool:
        """Forget the token and revoke it at the broker."""
        self._login.sign_out(user_id=user_id)
        return True


def _told(token: Token) -> dict[str, object]:
    return {
        "access_token": token.secret,
        "token_type": "Bearer",
        "user_id": token.user_id,
        "user_name": token.user_name,
        "issued_at": epoch_ms(token.issued),
        "expires_at": epoch_ms(token.expires),
    }


auth_manager = AuthManager()


def check_itself() -> Iterator[str]:
    """A token of the paper broker, kept encrypted, found again, and given up."""
    secret = auth_manager.get_valid_token()
    assure(len(secret) > 20, "no token")
    yield "a valid token (not shown)"
    auth_manager.save_token("self-check", {"access_token": secret})
    assure(auth_manager.get_valid_token("self-check") == secret, "the kept token is another one")
    files = [path for path in get_runtime().folder.glob("tokens.db*") if path.is_file()]
    assure(bool(files), "no token file")
    assure(all(secret.encode() not in path.read_bytes() for path in files), "the token lies there in plain text")
    yield "kept, encrypted, and read back"


if __name__ == "__main__":
    main(check_itself)

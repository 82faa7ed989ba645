"""Whose secret of a page it is, for every process of the desk: by its digest, so that who reads Redis can use none."""

from __future__ import annotations

from services.shared.link import RedisLink


class PushSecrets:
    """Digests of push tokens and whose they are. Raises `RedisAway`."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    def keep(self, digest: str, owner: str, seconds: float) -> None:
        """Know for so long whose secret has this digest."""
        name = self._link.key("push", digest)
        self._link.run(lambda client: client.set(name, owner, px=max(1, round(seconds * 1000))))

    def owner(self, digest: str) -> str | None:
        """Whose secret it is; `None`: nobody's."""
        (found,) = self._link.mget([self._link.key("push", digest)])
        return None if found is None else found.decode()

"""`python -m services health`: can the desk be trusted right now?"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import orjson

from services.commands.command import DONE, TROUBLE, ended, parser, runtime_of, settings_of
from services.commands.fates import lost_words, unsettled
from services.commands.telling import say_json, say_table
from services.desk_card import DeskCard, desk_on
from services.domain.errors import StorageError, UpstoxError
from services.measures.checks import CheckState
from services.runtime import Runtime
from services.settings import Settings

VERB = "health"
PATIENCE = 15.0
"""Seconds for the desk's answer, which waits for its broker's."""
OWN = ("storage", "token", "market")
"""Of the desk's checks those that a look from outside can make."""


@dataclass(frozen=True, slots=True)
class Found:
    """One check. `since`: when it came into its state; `None` where only this look knows it."""

    check: str
    state: CheckState
    reason: str
    since: datetime | None = None


def main(words: Sequence[str]) -> int:
    """1 when a check fails; a warning is none."""
    made = parser(
        VERB,
        "The checks of the desk that runs on the data folder. Where none runs, this command looks by itself at broker, "
        "files, token and orders, and says so.",
    )
    made.add_argument("--running", action="store_true", help="a desk has to run: that none does is a failure")
    given = made.parse_args(words)

    def tell() -> int:
        settings = settings_of(given)
        card = desk_on(settings.folder)
        if card is not None:
            found = ask(card, settings)
        else:
            state = CheckState.FAIL if given.running else CheckState.WARN
            none = Found("desk", state, f"No desk runs on {settings.folder}; this is a look from outside.")
            with runtime_of(given) as runtime:
                found = [none, *look(runtime)]
        failed = any(one.state is CheckState.FAIL for one in found)
        if given.json:
            rows = [{"check": one.check, "state": one.state, "reason": one.reason, "since": one.since} for one in found]
            say_json({"ok": not failed, "desk": None if card is None else card.url, "checks": rows})
        else:
            say_table(("check", "state", "reason"), [(one.check, one.state.value, one.reason) for one in found])
        return TROUBLE if failed else DONE

    return ended(VERB, tell)


def ask(card: DeskCard, settings: Settings) -> list[Found]:
    """What the running desk says of itself. One that does not answer fails."""
    who = f"The desk at {card.url} (process {card.pid})"
    try:
        status, body = _readyz(card, settings)
    except (OSError, http.client.HTTPException) as error:
        return [Found("desk", CheckState.FAIL, f"{who} does not answer: {error or type(error).__name__}.")]
    if status == 401:
        why = "tells its state only to who brings its DESK_METRICS_TOKEN; set the same for this command."
        return [Found("desk", CheckState.FAIL, f"{who} {why}")]
    try:
        told = orjson.loads(body)
        checks = [
            Found(str(one["check"]), CheckState(one["state"]), str(one["reason"]), datetime.fromisoformat(one["since"]))
            for one in told["checks"]
        ]
        reasons = [f"{name}: {reason}" for name, reason in told["reasons"].items()]
        ready = told["ready"] is True
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return [Found("desk", CheckState.FAIL, f"{who} answers with HTTP {status} and nothing that can be read.")]
    state = CheckState.PASS if ready else CheckState.FAIL
    return [Found("desk", state, f"{who} is ready." if ready else f"{who} is not ready. {' '.join(reasons)}"), *checks]


def look(runtime: Runtime) -> list[Found]:
    """A look from outside, with parts of this process's own. Sends nothing but one question to the broker's door."""
    found = [_broker(runtime)]
    try:
        lost = len(unsettled(runtime))
        runtime.market_pool  # noqa: B018  # opened, so that what is wrong with it is told
        runtime.login  # noqa: B018  # as above
    except UpstoxError as error:
        return [*found, Found("storage", CheckState.FAIL, f"{error}.")]
    orders = Found("orders", CheckState.PASS, "What became of every order is known.")
    if lost:
        orders = Found("orders", CheckState.FAIL, f"{lost_words(lost).capitalize()}.")
    checks = [one for one in runtime.measures.checks() if one.name in OWN]
    return [*found, orders, *(Found(one.name, one.state, one.reason) for one in checks)]


def _broker(runtime: Runtime) -> Found:
    """Any answer at all will do: who may log in is another question."""
    try:
        runtime.http.send("GET", f"{runtime.broker.api}/")
    except UpstoxError as error:
        return Found("broker", CheckState.FAIL, f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}.")
    return Found("broker", CheckState.PASS, f"{runtime.broker.api} answers.")


def _readyz(card: DeskCard, settings: Settings) -> tuple[int, bytes]:
    address = urlsplit(card.url)
    host, port = address.hostname or "", address.port
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=_only(card.tls_cert))
    token = settings.metrics_token
    headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    try:
        connection.request("GET", "/readyz", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _only(certificate: str) -> ssl.SSLContext:
    """Trusts this very certificate, whatever name it is for: the desk is asked by an address of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=certificate)
    except OSError as error:  # ssl.SSLError is one
        raise StorageError(f"the desk's certificate {certificate} cannot be read") from error
    return context

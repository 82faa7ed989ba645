"""Errors as a person reads them: what is the matter, what it means for the screen, what to do. Never a traceback."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.formatting import duration
from services.domain import errors as e


@dataclass(frozen=True, slots=True)
class Words:
    """A headline and one or two plain sentences."""

    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}. {self.text}"


_KEPT = "The last values stay on screen with their age, and the desk keeps asking."

_WORDS: dict[type[e.UpstoxError], tuple[str, str]] = {
    e.DataFolderTooNew: ("This data belongs to a newer desk", "{message} Update the desk, or give it another folder."),
    e.TokenStoreLocked: ("The stored logins cannot be opened", "{message}"),
    e.ForeignToken: ("This token belongs elsewhere", "{message}"),
    e.ConfigurationError: ("The desk is not set up right", "{message}"),
    e.UnknownInstrument: ("Unknown instrument", "{message}"),
    e.Forbidden: ("You may not do that", "{message}"),
    e.InvalidRequest: ("That does not work", "{message}"),
    e.SignInPaused: ("Signing in is paused", "Too many attempts. Try again in {wait}."),
    e.SignInRefused: ("Not signed in", "{message}"),
    e.LoginRequired: (
        "A login is needed",
        "There is no valid token. Log in on the Account page; prices come back by themselves.",
    ),
    e.NoData: (
        "No data for this instrument",
        "The broker answered and had nothing to say of it: suspended, or not traded yet.",
    ),
    e.NotPublished: ("Not published yet", "{message}"),
    e.RateBudgetSpent: ("Waiting for the broker's rate limit", "The desk asks again in {wait}."),
    e.BrokerNotAnswering: ("The paper broker does not answer", "{message} The desk keeps asking."),
    e.NotSent: ("The broker cannot be reached", f"Nothing answers at its address. {_KEPT}"),
    e.NoAnswer: ("The broker does not answer", f"It was asked, and no complete answer came in time. {_KEPT}"),
    e.MalformedPayload: ("The broker's answer cannot be read", f"It is not what its API promises. {_KEPT}"),
    e.TransportError: ("No usable answer from the broker", _KEPT),
    e.RouteMissing: ("The broker does not know this request", "{plain} ({code}). This version of its API may be gone."),
    e.TokenRejected: ("The broker no longer accepts the login", "Log in again on the Account page."),
    e.AccessDenied: (
        "The broker denies access",
        "{plain} ({code}). Static IP, plan or app settings at the broker decide this.",
    ),
    e.RateLimited: (
        "Too many requests for the broker",
        "It asked for a pause ({code}); the desk slows down by itself.",
    ),
    e.BadInstrumentKey: ("The broker does not know an instrument", "{plain} ({code})."),
    e.RequestRefused: ("The broker refused the request", "{plain} ({code})."),
    e.ServiceClosed: ("The broker does not serve this at this hour", "{plain} ({code})."),
    e.BrokerFault: ("The broker has a fault", f"It answered with its own error ({{code}}). {_KEPT}"),
    e.BrokerError: ("The broker answered with an error", "{plain} ({code})."),
    e.PoolExhausted: ("The desk's files are busy", "No connection became free in time; this passes."),
    e.PoolClosed: ("The desk is closing", "Its files are closed already."),
    e.LedgerAway: (
        "The ledger does not answer",
        "{message} No order leaves before it does; what was read before is shown, with its age.",
    ),
    e.StorageError: ("The desk's own files make trouble", "{message}"),
    e.UpstoxError: ("Something went wrong", "{message}"),
}


def in_words(error: e.UpstoxError) -> Words:
    """`error` in plain words, by its most specific known class."""
    title, text = next(_WORDS[kind] for kind in type(error).__mro__ if kind in _WORDS)
    return Words(title, text.format(**_facts(error)))


def title_of(class_name: str) -> str:
    """The headline of an error that is known by the name of its class alone, as the error log keeps it."""
    return next((title for kind, (title, _) in _WORDS.items() if kind.__name__ == class_name), class_name)


def _facts(error: e.UpstoxError) -> dict[str, str]:
    """What the sentences may mention; braces in the broker's own words are harmless here."""
    facts = {"message": _sentence(str(error)), "plain": "", "code": "", "wait": ""}
    if isinstance(error, e.BrokerError):
        facts |= {"plain": error.plain.rstrip("."), "code": error.code or f"HTTP {error.status}"}
    if isinstance(error, e.RateBudgetSpent | e.SignInPaused):
        facts["wait"] = duration(max(1.0, error.wait_seconds))
    return facts


def _sentence(text: str) -> str:
    text = text.strip() or "No reason was given"
    if text[0].islower() and text.partition(" ")[0].isalpha():  # not a name such as desk.log
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."

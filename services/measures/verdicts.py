"""The six checks of every desk, each with its reason. Pure."""

from __future__ import annotations

from services.domain.error_words import kinds_in_words
from services.domain.time_words import span
from services.feed.health import StreamState
from services.measures.checks import CheckState, Rule, Verdict, size
from services.measures.snapshot import FeedNow, Snapshot
from services.measures.storage_now import THE_LEDGER, StorageNow

MUTE_SECONDS, SILENT_SECONDS = 10.0, 30.0
"""Prices that are missing for so long in session: somebody should look; the feed cannot be relied on."""
FAILING_SECONDS = 15.0
"""Calls that fail for so long, without one success in between."""
BUSY_ERRORS = 10.0
"""Errors a minute; the guide's threshold."""
LITTLE_BUDGET = 0.1
BEHIND_SECONDS = 5.0
DROPPED_SECONDS = 300.0
LITTLE_DISK, NO_DISK = 500_000_000, 50_000_000
LITTLE_SHARE, NO_SHARE = 0.05, 0.02
ENDING_SECONDS = 1800.0
OFF_SECONDS, FAR_OFF_SECONDS = 2.0, 30.0
JUMPED_SECONDS = 300.0


def check_feed(snapshot: Snapshot) -> Verdict:
    """Do live prices come?"""
    feed = snapshot.feed
    if feed is None:
        return _unseen(snapshot, "feed")
    session = feed.expected or (snapshot.market is not None and snapshot.market.in_session)
    if not feed.connected:
        if feed.state == "off":
            return _warn("The live feed is off: nobody asks for it.")
        told = _sentence(feed.reason or feed.state)
        needs_person = feed.state in (StreamState.LOGIN_NEEDED, StreamState.REFUSED)
        return _fail(f"Not connected. {told}") if session or needs_person else _warn(f"Not connected. {told}")
    if (why := _without_token(snapshot, feed)) is not None:
        return _fail(why)
    silent = feed.silent_seconds
    if silent is not None and silent >= MUTE_SECONDS:
        told = f"Connected, but no price for {span(silent)} while the market trades."
        return _fail(told) if silent >= SILENT_SECONDS else _warn(told)
    if snapshot.process.protobuf == "python":
        return _warn("Frames are decoded by slow Python code: this protobuf package has no compiled part.")
    if not feed.subscribed:
        return _pass("Connected. Nobody looks at an instrument now.")
    if feed.last_update_ago is None:
        quiet = "" if feed.expected else " None is expected now."
        return Verdict(CheckState.UNKNOWN, f"Connected, and no price has come yet.{quiet}")
    if not feed.expected:  # what is repeated then is not new for having come again
        return _pass("Connected. No prices are expected now.")
    return _pass(f"{feed.updates_per_second:,.0f} updates a second, the last one {span(feed.last_update_ago)} ago.")


def _without_token(snapshot: Snapshot, feed: FeedNow) -> str | None:
    """A connection that is open without a token brings nothing, however it came to be: why. What still comes counts."""
    token = snapshot.token
    comes = feed.last_update_ago is not None and feed.last_update_ago < MUTE_SECONDS
    if token is None or token.kind is not None or comes:
        return None
    return f"No prices come without a login. {_sentence(token.problem or '')}".rstrip()


def _logged_out(snapshot: Snapshot) -> bool:
    return snapshot.token is not None and snapshot.token.kind is None


def check_rest(snapshot: Snapshot) -> Verdict:
    """Does the broker answer calls?"""
    rest = snapshot.rest
    if rest is None:
        return _unseen(snapshot, "rest")
    last = _sentence(rest.last_failure, first=False)
    if rest.failing_since is not None and rest.failing_since >= FAILING_SECONDS:
        return _fail(f"No call has succeeded for {span(rest.failing_since)}. The last one, {last}")
    closed = [one for one in rest.budgets if one.closed_for > 0]
    if closed:
        most = max(closed, key=lambda one: one.closed_for)
        return _warn(f'The broker said "too many requests": {_plain(most.name)} waits {span(most.closed_for)}.')
    errors = snapshot.errors
    if errors is not None and errors.per_minute > BUSY_ERRORS:
        told = f"{errors.per_minute:.1f} errors a minute over {errors.minutes:g} minutes"
        kinds = kinds_in_words(errors.breakdown, most=1)
        return _warn(f"{told}: {kinds}." if kinds else f"{told}.")
    if rest.failing_since is not None:
        return _warn(f"The last call failed, {last}")
    little = [one for one in rest.budgets if one.share_left < LITTLE_BUDGET]
    if little:
        least = min(little, key=lambda one: one.share_left)
        return _warn(f"Of the broker's limit for {_plain(least.name)} {least.share_left:.0%} is left.")
    if rest.last_success_ago is None:
        return Verdict(CheckState.UNKNOWN, "No call was made yet.")
    if _logged_out(snapshot):
        return _warn(f"Little is asked without a login. The last call succeeded {span(rest.last_success_ago)} ago.")
    return _pass(f"The last call succeeded {span(rest.last_success_ago)} ago.")


def check_orders(snapshot: Snapshot) -> Verdict:
    """Can orders be sent, and is the fate of those that were sent known?"""
    orders = snapshot.orders
    if orders is None:
        return _unseen(snapshot, "orders")
    if orders.unknown:
        one = orders.unknown == 1
        since = "" if orders.oldest_unknown_seconds is None else f" for {span(orders.oldest_unknown_seconds)}"
        what = "order" if one else "orders"
        return _fail(
            f"Of {orders.unknown} {what} nobody knows{since} whether the broker has {'it' if one else 'them'}."
        )
    if orders.ready:
        return _fail(f"Orders cannot be sent. {_sentence(orders.ready)}")
    stream, rest = snapshot.portfolio_feed, snapshot.rest
    deaf = stream is None or not stream.connected
    failing = rest.failing_since if rest is not None else None
    if deaf and failing is not None and failing >= FAILING_SECONDS:
        return _fail(
            f"The order stream is not connected and no call has succeeded for {span(failing)}: what happens to orders "
            "now is not known."
        )
    if deaf and stream is not None and stream.state != "off":
        if _logged_out(snapshot):
            return _warn("What happens to orders is not told without a login.")
        lately = "" if failing is None else ", and the last call failed"
        return _warn(f"Order updates come by asking only{lately}. {_sentence(stream.reason or stream.state)}")
    return _pass("Ready. What became of every order is known.")


def check_storage(snapshot: Snapshot) -> Verdict:
    """Can what happens be kept?"""
    storage = snapshot.storage
    if storage is None:
        return _unseen(snapshot, "storage")
    if storage.read_only:
        return _fail("The data folder is read-only: nothing can be kept.")
    if storage.free_bytes is not None and storage.free_bytes < min(NO_DISK, NO_SHARE * (storage.total_bytes or 0)):
        return _fail(f"The disk is full: {size(storage.free_bytes)} are left.")
    faults = dict(storage.faults)
    if snapshot.shared is not None and snapshot.shared.postgres is not None:
        faults.pop(THE_LEDGER, None)  # it is not on this disk: the check of what is shared tells of it
    if faults:
        name, told = next(iter(faults.items()))
        return _fail(f"{name}: {_sentence(told, first=False)}")
    if (verdict := _writer(storage)) is not None:
        return verdict
    if storage.free_bytes is not None and (
        storage.free_bytes < LITTLE_DISK or (storage.free_share or 1.0) < LITTLE_SHARE
    ):
        return _warn(f"The disk is nearly full: {size(storage.free_bytes)} are left.")
    if storage.lost_errors:
        return _warn(f"{storage.lost_errors} errors could not be kept.")
    if storage.free_bytes is None:
        return _warn("The data folder cannot be looked at: how much is free, and whether it takes writes, is unknown.")
    if storage.read_only is None:
        return _pass(f"{size(storage.free_bytes)} free. Whether the folder takes writes this system does not tell.")
    return _pass(f"Files can be read and written. {size(storage.free_bytes)} free.")


def _writer(storage: StorageNow) -> Verdict | None:
    writer = storage.writer
    if writer is None:
        return None
    if writer.failing_seconds is not None and writer.failing_seconds >= 1.0:
        return _fail(f"Ticks have not been stored for {span(writer.failing_seconds)}. {_sentence(writer.trouble)}")
    if writer.dropped_ago is not None and writer.dropped_ago < DROPPED_SECONDS:
        return _fail(f"{writer.dropped_in_all:,} ticks were dropped, the last {span(writer.dropped_ago)} ago.")
    if writer.oldest_seconds is not None and writer.oldest_seconds >= BEHIND_SECONDS:
        return _warn(f"The tick writer is {span(writer.oldest_seconds)} behind; {writer.waiting:,} ticks wait.")
    return None


def check_token(snapshot: Snapshot) -> Verdict:
    """May the desk ask and order, and how long still?"""
    token = snapshot.token
    if token is None:
        return _unseen(snapshot, "token")
    if token.kind is None:
        return _fail(f"A login is needed. {_sentence(token.problem or '')}".rstrip())
    left = f"The token ends in {span(token.seconds_left)}."
    if token.kind == "read_only":
        return _warn(f"A read-only token: prices come, orders need a login. {left}")
    if token.problem:
        return _warn(_sentence(token.problem))
    if token.seconds_left < ENDING_SECONDS:
        return _warn(f"{left} A login is needed then.")
    return _pass(left)


def check_market(snapshot: Snapshot) -> Verdict:
    """Does the desk know what time it is, and whether the market is open?"""
    market, clock = snapshot.market, snapshot.clock
    if market is None:
        return _unseen(snapshot, "market")
    if clock is not None and clock.offset_seconds is not None and abs(clock.offset_seconds) >= OFF_SECONDS:
        way = "ahead of" if clock.offset_seconds > 0 else "behind"
        told = f"This computer's clock is {span(abs(clock.offset_seconds))} {way} the broker's."
        return _fail(told) if abs(clock.offset_seconds) >= FAR_OFF_SECONDS else _warn(told)
    if market.contradictions:
        days = "one point" if market.contradictions == 1 else f"{market.contradictions} points"
        return _warn(f"The broker contradicts the calendar in {days}; the broker is followed.")
    if clock is not None and clock.jumped_ago is not None and clock.jumped_ago < JUMPED_SECONDS:
        way = "forward" if (clock.jump_seconds or 0.0) > 0 else "back"
        return _warn(f"The clock jumped {span(abs(clock.jump_seconds or 0.0))} {way}, {span(clock.jumped_ago)} ago.")
    if market.stale_sources:
        name, told = next(iter(market.stale_sources.items()))
        return _warn(f"The broker did not tell its {name}: {_sentence(told, first=False)} The desk's own table holds.")
    practice = " The paper broker trades around the clock." if market.practice else ""
    return _pass(f"{_sentence(market.phase)}{practice}")


RULES: dict[str, Rule] = {
    "feed": check_feed,
    "rest": check_rest,
    "orders": check_orders,
    "storage": check_storage,
    "token": check_token,
    "market": check_market,
}
"""In the order in which they are shown."""


def _unseen(snapshot: Snapshot, part: str) -> Verdict:
    return _fail(_sentence(snapshot.problems.get(part, "it could not be looked at")))


def _plain(budget: str) -> str:
    return budget.removeprefix("group ").replace("_", " ")


def _sentence(text: str, *, first: bool = True) -> str:
    text = text.strip().rstrip(".")
    if not text:
        return ""
    return f"{text[:1].upper() if first else text[:1]}{text[1:]}."


def _pass(reason: str) -> Verdict:
    return Verdict(CheckState.PASS, reason)


def _warn(reason: str) -> Verdict:
    return Verdict(CheckState.WARN, reason)


def _fail(reason: str) -> Verdict:
    return Verdict(CheckState.FAIL, reason)

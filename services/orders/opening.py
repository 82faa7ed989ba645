"""Makes the order desk: its parts, and who of them hears of what."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from datetime import time as day_time

from services.domain.accounts import Funds, TokenKind
from services.domain.clock import Clock, ist_date
from services.domain.gtt import GttOrder
from services.domain.instruments import Instrument
from services.domain.margins import SegmentSwitch
from services.domain.phases import Listing, PhaseNow
from services.ledger.account_mark import AccountMarks
from services.ledger.audit import Audit
from services.ledger.intents import Intents
from services.ledger.order_settings import OrderSettings
from services.ledger.orders import Orders
from services.ledger.trades import Trades
from services.orders.account import AccountFollower, AccountSource
from services.orders.aftermath import Aftermath
from services.orders.announcing import Announcer
from services.orders.asking import Asker
from services.orders.cases import Cases
from services.orders.checking import AddressWatch, Checker, Held, Quotes
from services.orders.day_book import DayBook
from services.orders.desk import OrderDesk
from services.orders.fills import Fills
from services.orders.following import Following
from services.orders.keeping import Keeper
from services.orders.kit import Kit
from services.orders.lives import Life, Whose
from services.orders.ports import Broker
from services.orders.previewing import OwnCharges, Previews
from services.orders.reconciliation import Reconciliation
from services.orders.sending import Sender
from services.orders.together import Together
from services.orders.told import Told
from services.orders.words import Words

GTT_SECONDS = 15.0
SWITCHES_SECONDS = 60.0
PATIENCE_SECONDS = 40.0
"""So long a write can be on its way at most: its turn, the connection, the answer, and once more over v2."""
LOST_AFTER_SECONDS = 15.0


def open_desk(
    *,
    broker: Broker,
    intents: Intents,
    orders: Orders,
    trades: Trades,
    rules: OrderSettings,
    audit: Audit,
    clock: Clock,
    mode: str,
    need_token: Callable[[], object],
    token: Callable[[], TokenKind | None],
    find: Callable[[str], Instrument | None],
    quotes: Callable[[], Quotes],
    phase: Callable[[str, Listing], PhaseNow],
    funds: Callable[[], Funds],
    marks: AccountMarks,
    account: AccountSource | None = None,
    account_name: Callable[[int | None], str] = lambda number: "",
    own_charges: OwnCharges | None = None,
    served: Callable[[Collection[str]], set[str]] = lambda keys: set(),
    held: Callable[[str, str], Held] = lambda key, product: Held(),
    learn_hours: Callable[[], object] = lambda: None,
    stream_up: Callable[[], bool] = lambda: False,
    connect_stream: Callable[[], object] = lambda: None,
    filled: Callable[[], object] = lambda: None,
    began: Callable[[], object] = lambda: None,
    speed: Callable[[], float] = lambda: 1.0,
    practice: Callable[[], bool] = lambda: False,
    address_needed: bool = False,
    mcx_orders: bool = False,
    square_off: day_time | None = None,
    lost_after: float = LOST_AFTER_SECONDS,
    patience: float = PATIENCE_SECONDS,
    life: Life | None = None,
    alone: bool = True,
    together: Together | None = None,
    nonce: Callable[[], str] = lambda: secrets.token_hex(9),
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> OrderDesk:
    """`need_token()` raises `LoginRequired` unless a token may trade; `account`: a broker whose account can be put
    away; `account_name`: what the ledger calls one of them, by its number (`None`: the running one); `own_charges`:
    our estimate of what an order costs; `served(keys)`: those that the live feed keeps current; `learn_hours()`
    asks the broker for today's hours, if that is due; `filled()` hears of fills and conversions; `began()`, in the
    sending thread, that a decision was taken up; `address_needed`: the broker looks at our static IP; `life`: this
    process, whose name `intents` writes down; `alone=False`: other machines work on this ledger; `together`: who of
    them asks the broker (`None`: each for itself).
    """
    book = DayBook()
    words = Words(find, lambda order_id: book.get(order_id) or orders.get(order_id))
    announcer = Announcer(clock.now, words.event)
    asker = Asker(clock=clock, monotonic=monotonic)
    address = AddressWatch(needed=address_needed, monotonic=monotonic)
    gtts: Told[tuple[GttOrder, ...]] = Told(
        lambda: tuple(broker.gtts()), clock=clock, every_seconds=GTT_SECONDS, monotonic=monotonic
    )
    switches: Told[tuple[SegmentSwitch, ...]] = Told(
        lambda: tuple(broker.kill_switch()),
        clock=clock,
        every_seconds=SWITCHES_SECONDS,
        always=True,
        monotonic=monotonic,
    )
    sender = Sender(
        intents=intents,
        settled=lambda intent: after.settled(intent),
        patience=patience,
        began=began,
        sleep=sleep,
        monotonic=monotonic,
    )
    cases = Cases(
        intents=intents,
        whose=Whose(in_flight=sender.in_flight, grounded=sender.grounded, life=life, alone=alone),
        announcer=announcer,
        words=words,
        clock=clock,
        lost_after=lost_after,
        patience=patience,
        monotonic=monotonic,
    )
    fills = Fills(
        broker=broker,
        trades=trades,
        clock=clock,
        mark=marks.get,
        account=lambda: account_name(None),
        monotonic=monotonic,
    )
    keeper = Keeper(
        broker=broker,
        orders=orders,
        fills=fills,
        clock=clock,
        book=book,
        announcer=announcer,
        tagged=cases.witness,
        filled=lambda: after.filled(),
        mark=marks.get,
    )
    follower = AccountFollower(
        source=account,
        marks=marks,
        keeper=keeper,
        cases=cases,
        began=lambda: after.account_began(),
        name=account_name,
    )
    reconciliation = Reconciliation(
        broker=broker,
        keeper=keeper,
        fills=fills,
        cases=cases,
        account=follower,
        book=book,
        keep_current=(gtts.ask_if_due, switches.ask_if_due),
        stream_up=stream_up,
        today=lambda: ist_date(clock.now()),
        began=announcer.begin,
        following=Following(
            together, keeper=keeper, another_account=lambda: after.account_began(), monotonic=monotonic
        ),
        monotonic=monotonic,
    )
    checker = Checker(
        mode=mode,
        clock=clock,
        speed=speed,
        practice=practice,
        find=find,
        quotes=quotes,
        served=served,
        phase=phase,
        token=token,
        switches=switches,
        address=address,
        held=held,
        learn_hours=learn_hours,
        mcx_orders=mcx_orders,
        square_off=square_off,
    )
    previews = Previews(
        broker=broker,
        asker=asker,
        checker=checker,
        words=words,
        funds=funds,
        rules=lambda: (rules.limits(), rules.kill_switch()),
        orders_today=lambda: len(book.all()[0]),
        alive=book.alive,
        own_charges=own_charges,
    )
    kit = Kit(
        broker=broker,
        intents=intents,
        orders=orders,
        sender=sender,
        checker=checker,
        previews=previews,
        keeper=keeper,
        book=book,
        reconciliation=reconciliation,
        clock=clock,
        kill_switch=rules.kill_switch,
        stream_up=stream_up,
        need_token=need_token,
        nonce=nonce,
        pause=sleep,
    )
    after = Aftermath(
        orders=orders,
        book=book,
        cases=cases,
        reconciliation=reconciliation,
        address=address,
        asker=asker,
        gtts=gtts,
        switches=switches,
        stream_up=stream_up,
        filled=filled,
    )
    return OrderDesk(
        kit,
        fills=fills,
        trades=trades,
        rules=rules,
        audit=audit,
        marks=marks,
        cases=cases,
        announcer=announcer,
        asker=asker,
        address=address,
        gtts=gtts,
        switches=switches,
        after=after,
        connect_stream=connect_stream,
        account_name=account_name,
    )

"""`python -m services orders`, `… orders --trades`."""

from __future__ import annotations

from collections.abc import Sequence

from services.commands.command import DONE, TROUBLE, ended, parser, refuse, runtime_of
from services.commands.fates import lost_words, unsettled
from services.commands.telling import age, moment, note, say_json, say_table
from services.domain.orders import is_terminal
from services.order_manager_v3 import OrderManagerV3

VERB = "orders"
_ORDER = (
    "order_id", "placed_at", "symbol", "side", "quantity", "filled_quantity", "order_type", "price", "trigger_price",
    "average_price", "product", "status", "message",
)  # fmt: skip
_TRADE = ("trade_id", "order_id", "traded_at", "symbol", "side", "quantity", "price", "product", "exchange")


def main(words: Sequence[str]) -> int:
    """1 where the broker did not tell now (what it told last is shown with its age), and where of an order nobody knows
    what became of it."""
    made = parser(VERB, "The order book of today as the broker tells it now, the newest first. Nothing is sent.")
    made.add_argument("--open", action="store_true", help="only orders that may still be filled")
    made.add_argument("--trades", action="store_true", help="the fills instead")
    given = made.parse_args(words)

    def tell() -> int:
        with runtime_of(given) as runtime:
            manager = OrderManagerV3()
            rows = manager.get_trade_history() if given.trades else manager.get_order_book()
            now, source = runtime.clock.now(), runtime.source.label
            lost = [] if given.trades else unsettled(runtime)
        shown = [row for row in rows if given.trades or not given.open or not is_terminal(row["status"])]
        if given.json:
            unknown = [{"intent_id": one.intent_id, "tag": one.tag, "since": one.created_at} for one in lost]
            told = {"source": source, "as_of": rows.as_of, "error": rows.error, "unknown": unknown}
            say_json(told | {"trades" if given.trades else "orders": shown})
        else:
            columns = _TRADE if given.trades else _ORDER
            say_table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in shown])
            what = "fills" if given.trades else "orders"
            known = (
                f"told {moment(rows.as_of)}, {age(rows.as_of, now)} ago" if rows.as_of else "as the ledger knows them"
            )
            note(f"{what}: {len(shown)} ({source}), {known}")
        if rows.error is not None:
            refuse(VERB, f"not told now: {rows.error}")
        if lost:
            refuse(VERB, f"{lost_words(len(lost))}; the page Orders shows more")
        return TROUBLE if lost or rows.error is not None else DONE

    return ended(VERB, tell)

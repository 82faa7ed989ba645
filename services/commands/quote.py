"""`python -m services quote INFY NIFTY`."""

from __future__ import annotations

from collections.abc import Sequence

from services.commands.command import DONE, TROUBLE, ended, parser, refuse, runtime_of
from services.commands.named import keys_of
from services.commands.telling import age, say_json, say_table
from services.domain.errors import UpstoxError
from services.market_quote_v3 import MarketQuoteV3

VERB = "quote"
_HEADS = (
    "symbol", "ltp", "change", "change %", "open", "high", "low", "prev close", "volume", "received", "age", "source",
)  # fmt: skip


def main(words: Sequence[str]) -> int:
    """Prices in rupees, quantities in units, instants in Indian time. 1 if one of the instruments has none."""
    made = parser(VERB, "Prices: at most five seconds old, as on the desk.")
    made.add_argument("instrument", nargs="+", help="a symbol (INFY, NIFTY) or an instrument key (NSE_FO|56983)")
    made.add_argument("--fresh", action="store_true", help="ask the broker even for what is in a cache")
    given = made.parse_args(words)

    def tell() -> int:
        with runtime_of(given) as runtime:
            keys = keys_of(given.instrument, runtime.instruments)
            problems: dict[str, UpstoxError] = {}
            quotes = MarketQuoteV3().get_batch_quotes(keys, use_cache=not given.fresh, problems=problems)
            now = runtime.clock.now()
        if given.json:
            say_json({"quotes": quotes, "problems": {key: str(error) for key, error in problems.items()}, "as_of": now})
        else:
            columns = ("symbol", "ltp", "change", "change_percent", "open", "high", "low", "prev_close", "volume")
            say_table(
                _HEADS,
                [
                    (
                        *(row[name] for name in columns),
                        row["received_at"],
                        age(row["received_at"], now),
                        row["source"],
                    )
                    for row in quotes.values()
                ],
            )
        for key, error in problems.items():
            refuse(VERB, f"{key}: {error}")
        return TROUBLE if problems else DONE

    return ended(VERB, tell)

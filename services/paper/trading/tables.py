"""The tables of the trading desk in the paper account's file, as its versions added them.

Every row belongs to an account number (`book`): a reset closes one and opens the next, and nothing is ever deleted.
Money, prices and instants as in `values`; `alive`, `buys` and the like are 0 or 1.
"""

_ORDER = """book INTEGER NOT NULL, {key}, number INTEGER NOT NULL, key TEXT NOT NULL, segment TEXT NOT NULL,
  exchange TEXT NOT NULL, symbol TEXT NOT NULL, buys INTEGER NOT NULL, quantity INTEGER NOT NULL,
  product TEXT NOT NULL, order_type TEXT NOT NULL, validity TEXT NOT NULL, price INTEGER NOT NULL,
  trigger INTEGER NOT NULL, disclosed INTEGER NOT NULL, protection INTEGER, tag TEXT NOT NULL, status TEXT NOT NULL,
  day TEXT NOT NULL, placed_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, reference_id TEXT NOT NULL,
  exchange_id TEXT NOT NULL, exchange_ms INTEGER, request_number INTEGER NOT NULL, variety TEXT NOT NULL,
  amo INTEGER NOT NULL, message TEXT NOT NULL, raw_message TEXT NOT NULL, filled INTEGER NOT NULL,
  value INTEGER NOT NULL, "limit" INTEGER NOT NULL, priority INTEGER NOT NULL, resting INTEGER NOT NULL,
  charges INTEGER NOT NULL, by_broker INTEGER NOT NULL"""

VERSION_2 = (
    """CREATE TABLE books (number INTEGER PRIMARY KEY, opened_ms INTEGER NOT NULL, opening INTEGER NOT NULL,
  day TEXT NOT NULL, day_opening INTEGER NOT NULL, balance INTEGER NOT NULL, charges INTEGER NOT NULL,
  day_charges INTEGER NOT NULL, at_ms INTEGER NOT NULL, closed_ms INTEGER)""",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    f"CREATE TABLE orders ({_ORDER.format(key='order_id TEXT PRIMARY KEY')}, alive INTEGER NOT NULL)",
    "CREATE INDEX orders_of_day ON orders (book, day)",
    "CREATE INDEX orders_alive ON orders (book) WHERE alive",
    "CREATE INDEX orders_by_tag ON orders (book, tag) WHERE tag != ''",
    f"CREATE TABLE steps (step INTEGER PRIMARY KEY, {_ORDER.format(key='order_id TEXT NOT NULL')})",
    "CREATE INDEX steps_of_order ON steps (order_id, step)",
    """CREATE TABLE fills (book INTEGER NOT NULL, trade_id TEXT PRIMARY KEY, number INTEGER NOT NULL,
  order_id TEXT NOT NULL, exchange_id TEXT NOT NULL, key TEXT NOT NULL, segment TEXT NOT NULL, exchange TEXT NOT NULL,
  symbol TEXT NOT NULL, buys INTEGER NOT NULL, quantity INTEGER NOT NULL, price INTEGER NOT NULL, product TEXT NOT NULL,
  order_type TEXT NOT NULL, reference_id TEXT NOT NULL, at_ms INTEGER NOT NULL, order_ms INTEGER NOT NULL,
  day TEXT NOT NULL, multiplier INTEGER NOT NULL, name TEXT NOT NULL, isin TEXT NOT NULL, option_type TEXT NOT NULL,
  strike INTEGER NOT NULL, expiry TEXT NOT NULL)""",
    "CREATE INDEX fills_of_day ON fills (book, day, number, segment)",
    "CREATE INDEX fills_of_order ON fills (order_id)",
    """CREATE TABLE positions (book INTEGER NOT NULL, key TEXT NOT NULL, product TEXT NOT NULL, segment TEXT NOT NULL,
  exchange TEXT NOT NULL, symbol TEXT NOT NULL, multiplier INTEGER NOT NULL, overnight_quantity INTEGER NOT NULL,
  overnight_buy_quantity INTEGER NOT NULL, overnight_buy_amount INTEGER NOT NULL,
  overnight_sell_quantity INTEGER NOT NULL, overnight_sell_amount INTEGER NOT NULL, day_buy_quantity INTEGER NOT NULL,
  day_buy_value INTEGER NOT NULL, day_sell_quantity INTEGER NOT NULL, day_sell_value INTEGER NOT NULL,
  cost INTEGER NOT NULL, realised INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (book, key, product))""",
    """CREATE TABLE holdings (book INTEGER NOT NULL, isin TEXT NOT NULL, key TEXT NOT NULL, segment TEXT NOT NULL,
  exchange TEXT NOT NULL, symbol TEXT NOT NULL, name TEXT NOT NULL, quantity INTEGER NOT NULL,
  t1_quantity INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (book, isin))""",
    """CREATE TABLE switches (book INTEGER NOT NULL, segment TEXT NOT NULL, since_ms INTEGER NOT NULL,
  PRIMARY KEY (book, segment))""",
    """CREATE TABLE gtts (book INTEGER NOT NULL, gtt_id TEXT PRIMARY KEY, body TEXT NOT NULL,
  alive INTEGER NOT NULL)""",
    "CREATE TABLE shelves (key TEXT PRIMARY KEY, body TEXT NOT NULL)",
)
"""Amounts of a position without the multiplier."""

VERSION_3 = (
    """CREATE TABLE notes (book INTEGER NOT NULL, day TEXT NOT NULL, segment TEXT NOT NULL, brokerage INTEGER NOT NULL,
  stt INTEGER NOT NULL, "transaction" INTEGER NOT NULL, ipft INTEGER NOT NULL, sebi_turnover INTEGER NOT NULL,
  stamp_duty INTEGER NOT NULL, clearing INTEGER NOT NULL, depository INTEGER NOT NULL, others INTEGER NOT NULL,
  gst INTEGER NOT NULL, PRIMARY KEY (book, day, segment))""",
)
"""What the contract note of each finished day takes, by segment, in paise."""

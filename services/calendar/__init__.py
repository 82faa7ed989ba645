"""The market calendar of this process: the desk's own table, what the broker says beside it, and where they differ.

`calendar.py` keeps it current: `schedule.py` says what is to be asked and `asking.py` asks, `brokers_word.py`
understands the answers, `compare.py` and `laying.py` decide between them and the table, `telling.py` tells of
contradictions. `market_info_service` is its public face, `views.py` spells its answers.
"""

from services.calendar.asking import CalendarSource
from services.calendar.calendar import Calendar
from services.calendar.state import CalendarState, SourceState
from services.calendar.telling import ALERT_KIND
from services.storage.calendar_contradictions import Contradiction

__all__ = ["ALERT_KIND", "Calendar", "CalendarSource", "CalendarState", "Contradiction", "SourceState"]

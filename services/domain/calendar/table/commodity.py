"""The days on which MCX rests in the morning (09:00 to 17:00), in the evening, or both. NSE's commodities follow.

Read in lists that brokers and the press reprint. The general rule (on a holiday of shares the evening trades, save on
26 January, Good Friday, 15 August, 2 October and 25 December; on 1 January the morning alone) was taken where nothing
better was found, and such rows are unconfirmed.
"""

from __future__ import annotations

from datetime import date

from services.domain.calendar.table.rows import Row, days

_2019 = "MCX list of 2019, reprinted"
_2020 = "MCX list of 2020, reprinted"
_2021 = "MCX list of 2021 (Moneycontrol 2020-12-28)"
_2022 = "NSE/COM/50562 of 2021-12-10 and MCX list of 2022, reprinted"
_2023 = "MCX list of 2023, reprinted"
_2024 = "MCX list of 2024, reprinted"
_2025 = "MCX list of 2025, reprinted"
_2026 = "MCX list of 2026 (CNBC Awaaz 2025-12-30, audited 2026-08-01)"
_LOCKDOWN = "MCX and NSE circulars of March 2020: no evening session during the lockdown"

CLOSED: dict[date, Row] = {
    **days(
        2019,
        _2019,
        {
            "04-19": "Good Friday", "08-15": "Independence Day", "10-02": "Gandhi Jayanti", "12-25": "Christmas",
        },
    ),
    date(2019, 4, 29): Row("Lok Sabha poll, Mumbai", "NSE circular of 2019-03-26 (press), mute on the evening", False),
    **days(2020, _LOCKDOWN, {"04-02": "Ram Navami", "04-06": "Mahavir Jayanti", "04-14": "Ambedkar Jayanti"}),
    **days(2020, _2020, {"04-10": "Good Friday", "10-02": "Gandhi Jayanti", "12-25": "Christmas"}),
    **days(2021, _2021, {"01-26": "Republic Day", "04-02": "Good Friday"}),
    **days(2022, _2022, {"01-26": "Republic Day", "04-15": "Good Friday", "08-15": "Independence Day"}),
    **days(
        2023,
        _2023,
        {
            "01-26": "Republic Day", "04-07": "Good Friday", "08-15": "Independence Day", "10-02": "Gandhi Jayanti",
            "12-25": "Christmas",
        },
    ),
    **days(
        2024,
        _2024,
        {
            "01-26": "Republic Day", "03-29": "Good Friday", "08-15": "Independence Day", "10-02": "Gandhi Jayanti",
            "12-25": "Christmas",
        },
    ),
    **days(
        2025,
        _2025,
        {
            "04-18": "Good Friday", "08-15": "Independence Day", "10-02": "Gandhi Jayanti and Dussehra",
            "12-25": "Christmas",
        },
    ),
    **days(
        2026,
        _2026,
        {"01-26": "Republic Day", "04-03": "Good Friday", "10-02": "Gandhi Jayanti", "12-25": "Christmas"},
    ),
}  # fmt: skip

MORNING_ONLY: dict[date, Row] = {
    **days(2019, _2019, {"01-01": "New Year"}),
    **days(2020, _2020, {"01-01": "New Year"}),
    **days(2021, _2021, {"01-01": "New Year"}),
    **days(2024, _2024, {"01-01": "New Year"}),
    **days(2025, _2025, {"01-01": "New Year"}),
    **days(2026, _2026, {"01-01": "New Year"}),
}

EVENING_ONLY: dict[date, Row] = {
    **days(
        2019,
        _2019,
        {
            "03-04": "Mahashivratri", "03-21": "Holi", "04-17": "Mahavir Jayanti", "05-01": "Maharashtra Day",
            "06-05": "Id-Ul-Fitr", "08-12": "Bakri Id", "09-02": "Ganesh Chaturthi", "09-10": "Muharram",
            "10-08": "Dussehra", "10-28": "Diwali Balipratipada", "11-12": "Guru Nanak Jayanti",
        },
    ),
    date(2019, 10, 21): Row(
        "Maharashtra Assembly poll", "NSE circular for its commodities (press); MCX's was not seen", False
    ),
    **days(
        2020,
        _2020,
        {
            "02-21": "Mahashivratri", "03-10": "Holi", "05-01": "Maharashtra Day", "05-25": "Id-Ul-Fitr",
            "11-16": "Diwali Balipratipada", "11-30": "Guru Nanak Jayanti",
        },
    ),
    **days(
        2021,
        _2021,
        {
            "03-11": "Mahashivratri", "03-29": "Holi", "04-14": "Ambedkar Jayanti", "04-21": "Ram Navami",
            "05-13": "Id-Ul-Fitr", "07-21": "Bakri Id", "08-19": "Muharram", "09-10": "Ganesh Chaturthi",
            "10-15": "Dussehra", "11-05": "Diwali Balipratipada", "11-19": "Guru Nanak Jayanti",
        },
    ),
    **days(
        2022,
        _2022,
        {
            "03-01": "Mahashivratri", "03-18": "Holi", "04-14": "Ambedkar Jayanti and Mahavir Jayanti",
            "05-03": "Id-Ul-Fitr", "08-09": "Muharram", "08-31": "Ganesh Chaturthi", "10-05": "Dussehra",
            "10-26": "Diwali Balipratipada", "11-08": "Guru Nanak Jayanti",
        },
    ),
    **days(
        2023,
        _2023,
        {
            "03-07": "Holi", "03-30": "Ram Navami", "04-04": "Mahavir Jayanti", "05-01": "Maharashtra Day",
            "06-29": "Bakri Id", "09-19": "Ganesh Chaturthi", "10-24": "Dussehra", "11-14": "Diwali Balipratipada",
            "11-27": "Guru Nanak Jayanti",
        },
    ),
    date(2023, 4, 14): Row("Ambedkar Jayanti", "the general rule; one reprinted list has the evening closed", False),
    date(2024, 1, 22): Row("Special holiday (Ayodhya)", "the general rule; MCX's circular was not seen", False),
    **days(
        2024,
        _2024,
        {
            "03-08": "Mahashivratri", "03-25": "Holi", "04-11": "Id-Ul-Fitr", "04-17": "Ram Navami",
            "05-01": "Maharashtra Day", "05-20": "Lok Sabha poll, Mumbai", "06-17": "Bakri Id", "07-17": "Muharram",
            "11-15": "Guru Nanak Jayanti",
        },
    ),
    date(2024, 11, 20): Row("Maharashtra Assembly poll", "MCX notice (Hindustan Times 2024-11-19)"),
    **days(
        2025,
        _2025,
        {
            "02-26": "Mahashivratri", "03-14": "Holi", "03-31": "Id-Ul-Fitr", "04-10": "Mahavir Jayanti",
            "04-14": "Ambedkar Jayanti", "05-01": "Maharashtra Day", "08-27": "Ganesh Chaturthi",
            "10-22": "Diwali Balipratipada", "11-05": "Guru Nanak Jayanti",
        },
    ),
    date(2026, 1, 15): Row("Maharashtra municipal polls", "MCX circular of 2026-01-12 (press of 2026-01-15)"),
    **days(
        2026,
        _2026,
        {
            "03-03": "Holi", "03-26": "Ram Navami", "03-31": "Mahavir Jayanti", "04-14": "Ambedkar Jayanti",
            "05-01": "Maharashtra Day", "05-28": "Bakri Id", "06-26": "Muharram", "09-14": "Ganesh Chaturthi",
            "10-20": "Dussehra", "11-10": "Diwali Balipratipada", "11-24": "Guru Nanak Jayanti",
        },
    ),
}  # fmt: skip

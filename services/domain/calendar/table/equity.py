"""Holidays of shares and equity derivatives (NSE = BSE), and the days on which they trade without settlement.

From 2019-10 to 2026-08-21 every row was checked against the days for which NSE published prices.
"""

from __future__ import annotations

from datetime import date

from services.domain.calendar.table.rows import Row, days

_SEEN = "no NSE bhavcopy exists for the day"
_BANKS = "banks in Mumbai were closed; the clearing house's own list was not seen"

HOLIDAYS: dict[date, Row] = {
    **days(
        2019,
        "NSE and BSE lists of 2019, as amended for the polls; from October on no NSE bhavcopy exists for these days",
        {
            "03-04": "Mahashivratri", "03-21": "Holi", "04-17": "Mahavir Jayanti", "04-19": "Good Friday",
            "04-29": "Lok Sabha poll, Mumbai", "05-01": "Maharashtra Day", "06-05": "Id-Ul-Fitr", "08-12": "Bakri Id",
            "08-15": "Independence Day", "09-02": "Ganesh Chaturthi", "09-10": "Muharram", "10-02": "Gandhi Jayanti",
            "10-08": "Dussehra", "10-21": "Maharashtra Assembly poll", "10-28": "Diwali Balipratipada",
            "11-12": "Guru Nanak Jayanti", "12-25": "Christmas",
        },
    ),
    **days(
        2020,
        f"NSE and BSE lists of 2020; {_SEEN}",
        {
            "02-21": "Mahashivratri", "03-10": "Holi", "04-02": "Ram Navami", "04-06": "Mahavir Jayanti",
            "04-10": "Good Friday", "04-14": "Ambedkar Jayanti", "05-01": "Maharashtra Day", "05-25": "Id-Ul-Fitr",
            "10-02": "Gandhi Jayanti", "11-16": "Diwali Balipratipada", "11-30": "Guru Nanak Jayanti",
            "12-25": "Christmas",
        },
    ),
    **days(
        2021,
        f"NSE/CMTR/46623 of 2020-12-11; {_SEEN}",
        {
            "01-26": "Republic Day", "03-11": "Mahashivratri", "03-29": "Holi", "04-02": "Good Friday",
            "04-14": "Ambedkar Jayanti", "04-21": "Ram Navami", "05-13": "Id-Ul-Fitr", "07-21": "Bakri Id",
            "08-19": "Muharram", "09-10": "Ganesh Chaturthi", "10-15": "Dussehra", "11-05": "Diwali Balipratipada",
            "11-19": "Guru Nanak Jayanti",
        },
    ),
    **days(
        2022,
        f"NSE and BSE lists of 2022; {_SEEN}",
        {
            "01-26": "Republic Day", "03-01": "Mahashivratri", "03-18": "Holi",
            "04-14": "Ambedkar Jayanti and Mahavir Jayanti", "04-15": "Good Friday", "05-03": "Id-Ul-Fitr",
            "08-09": "Muharram", "08-15": "Independence Day", "08-31": "Ganesh Chaturthi", "10-05": "Dussehra",
            "10-26": "Diwali Balipratipada", "11-08": "Guru Nanak Jayanti",
        },
    ),
    **days(
        2023,
        f"NSE/CMTR/54757 and BSE notice 20221208-31 of 2022-12-08; {_SEEN}",
        {
            "01-26": "Republic Day", "03-07": "Holi", "03-30": "Ram Navami", "04-04": "Mahavir Jayanti",
            "04-07": "Good Friday", "04-14": "Ambedkar Jayanti", "05-01": "Maharashtra Day",
            "08-15": "Independence Day", "09-19": "Ganesh Chaturthi", "10-02": "Gandhi Jayanti", "10-24": "Dussehra",
            "11-14": "Diwali Balipratipada", "11-27": "Guru Nanak Jayanti", "12-25": "Christmas",
        },
    ),
    date(2023, 6, 29): Row("Bakri Id", f"NSE circular of 2023-06-27, in place of 28 June; {_SEEN}"),
    **days(
        2024,
        f"NSE list of 2024; {_SEEN}",
        {
            "01-26": "Republic Day", "03-08": "Mahashivratri", "03-25": "Holi", "03-29": "Good Friday",
            "04-11": "Id-Ul-Fitr", "04-17": "Ram Navami", "05-01": "Maharashtra Day", "06-17": "Bakri Id",
            "07-17": "Muharram", "08-15": "Independence Day", "10-02": "Gandhi Jayanti",
            "11-15": "Guru Nanak Jayanti", "12-25": "Christmas",
        },
    ),
    date(2024, 1, 22): Row("Special holiday (Ayodhya)", f"NSE and BSE circulars of 2024-01-19; {_SEEN}"),
    date(2024, 5, 20): Row("Lok Sabha poll, Mumbai", f"NSE list of 2024 as amended; {_SEEN}"),
    date(2024, 11, 20): Row("Maharashtra Assembly poll", f"NSE list of 2024 as amended; {_SEEN}"),
    **days(
        2025,
        f"NSE list of 2025; {_SEEN}",
        {
            "02-26": "Mahashivratri", "03-14": "Holi", "03-31": "Id-Ul-Fitr", "04-10": "Mahavir Jayanti",
            "04-14": "Ambedkar Jayanti", "04-18": "Good Friday", "05-01": "Maharashtra Day",
            "08-15": "Independence Day", "08-27": "Ganesh Chaturthi", "10-02": "Gandhi Jayanti and Dussehra",
            "10-22": "Diwali Balipratipada", "11-05": "Guru Nanak Jayanti", "12-25": "Christmas",
        },
    ),
    **days(
        2026,
        "NSE/FAOP/71777 of 2025-12-12",
        {
            "01-26": "Republic Day", "03-03": "Holi", "03-26": "Ram Navami", "03-31": "Mahavir Jayanti",
            "04-03": "Good Friday", "04-14": "Ambedkar Jayanti", "05-01": "Maharashtra Day", "05-28": "Bakri Id",
            "06-26": "Muharram", "09-14": "Ganesh Chaturthi", "10-02": "Gandhi Jayanti", "10-20": "Dussehra",
            "11-10": "Diwali Balipratipada", "11-24": "Guru Nanak Jayanti", "12-25": "Christmas",
        },
    ),
    date(2026, 1, 15): Row("Maharashtra municipal polls", f"NSE/CMTR/72260 of 2026-01-12, three days before; {_SEEN}"),
}  # fmt: skip

SETTLEMENT_HOLIDAYS: dict[date, Row] = {
    **days(2019, "NSE clearing holidays of 2019", {"02-19": "Shivaji Jayanti", "04-01": "Annual bank closing"}),
    **days(
        2020,
        "NSE clearing holidays of 2020",
        {
            "02-19": "Shivaji Jayanti", "04-01": "Annual bank closing", "05-07": "Buddha Pournima",
            "10-30": "Id-E-Milad",
        },
    ),
    date(2020, 3, 25): Row("Gudi Padwa", "NSE clearing holidays of 2020, the date misprinted where it was read", False),
    **days(
        2021,
        "NSE clearing holidays of 2021",
        {
            "02-19": "Shivaji Jayanti", "04-01": "Annual bank closing", "04-13": "Gudi Padwa", "10-19": "Id-E-Milad",
        },
    ),
    **days(2021, _BANKS, {"05-26": "Buddha Pournima", "08-16": "Parsi New Year"}, confirmed=False),
    date(2022, 2, 7): Row("Mourning for Lata Mangeshkar", f"RBI release of 2022-02-06; {_BANKS}", False),
    **days(
        2022,
        "NSE and BSE settlement holidays of 2022",
        {"04-01": "Annual bank closing", "05-16": "Buddha Pournima", "08-16": "Parsi New Year"},
    ),
    **days(
        2023,
        "NSE and BSE settlement holidays of 2023",
        {"03-22": "Gudi Padwa", "05-05": "Buddha Pournima", "08-16": "Parsi New Year"},
    ),
    date(2023, 9, 29): Row("Id-E-Milad", "moved from 28 September by RBI, NSE and BSE on 2023-09-27"),
    **days(
        2024,
        "NSE list of 2024, currency derivatives",
        {
            "02-19": "Shivaji Jayanti", "04-01": "Annual bank closing", "04-09": "Gudi Padwa",
            "05-23": "Buddha Pournima",
        },
    ),
    date(2024, 9, 16): Row("Id-E-Milad", "a broker's notice of 2024-09-15; currencies traded", False),
    date(2024, 9, 18): Row("Id-E-Milad", "RBI release of 2024-09-14, moved from the 16th; currencies closed", False),
    **days(
        2025,
        "NSE clearing holidays of 2025",
        {
            "02-19": "Shivaji Jayanti", "04-01": "Annual bank closing", "05-12": "Buddha Pournima",
            "09-05": "Id-E-Milad",
        },
    ),
    date(2025, 9, 8): Row("Id-E-Milad, second day", "brokers' notices of 2025-09-05; currencies closed"),
    **days(
        2026,
        "NCL/CMPT/71904 of 2025-12-22",
        {
            "02-19": "Shivaji Jayanti", "03-19": "Gudi Padwa", "04-01": "Annual bank closing", "08-26": "Id-E-Milad",
        },
    ),
}  # fmt: skip
"""Weekdays on which shares trade and the clearing house rests."""

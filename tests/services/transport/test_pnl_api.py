from __future__ import annotations

from collections.abc import Callable
from datetime import date

import orjson
import pytest

from services.domain.errors import MalformedPayload, RequestRefused
from services.domain.pnl_reports import ReportPeriod
from services.transport.pnl_api import PnlApi
from tests.services.transport.test_order_api import JSON, Asked, Fault, a_desk, answer, status
from tests.services.wire.test_pnl import CHARGES, ROW

PERIOD = ReportPeriod("A", "EQ", "2627", date(2026, 4, 1), date(2026, 11, 5))


def told(body: object) -> Fault:
    return lambda broker, connection: connection.sendall(
        answer(orjson.dumps({"status": "success"} | body), headers=JSON)  # type: ignore[operator]
    )


def a_broker(trades: int, limit: int, *, page: Callable[[int], dict[str, object]]) -> Callable[[Asked], Fault]:
    def standing(asked: Asked) -> Fault:
        if asked.path.endswith("/metadata"):
            return told({"data": {"trades_count": trades, "page_size_limit": limit}})
        if asked.path.endswith("/charges"):
            return told({"data": CHARGES})
        return told(page(int(asked.query["page_number"])))

    return standing


def rows(number: int, count: int = 2) -> dict[str, object]:
    return {"data": [ROW] * count, "metadata": {"page": {"page_number": number, "page_size": 2}}}


def test_a_report_is_read_page_after_page_after_its_metadata() -> None:
    with a_desk() as desk:
        desk.broker.standing = a_broker(5, 2, page=lambda number: rows(number, 1 if number == 3 else 2))

        count, found = PnlApi(desk.caller).report(PERIOD)

        assert (count, len(found)) == (5, 5)
        assert [asked.path.rsplit("/", 1)[1] for asked in desk.broker.asked] == ["metadata", "data", "data", "data"]
        assert {asked.query["financial_year"] for asked in desk.broker.asked} == {"2627"}
        assert [asked.query["page_size"] for asked in desk.broker.asked[1:]] == ["2", "2", "2"]


def test_a_report_of_nothing_asks_for_no_page() -> None:
    with a_desk() as desk:
        desk.broker.standing = a_broker(0, 5000, page=rows)

        assert PnlApi(desk.caller).report(PERIOD) == (0, [])
        assert len(desk.broker.asked) == 1


def test_fewer_rows_than_were_announced_are_told_as_they_came() -> None:
    with a_desk() as desk:
        desk.broker.standing = a_broker(9, 2, page=lambda number: rows(number, 2 if number == 1 else 0))

        count, found = PnlApi(desk.caller).report(PERIOD)

        assert (count, len(found)) == (9, 2)


def test_another_page_than_was_asked_for_is_no_answer() -> None:
    with a_desk() as desk:
        desk.broker.standing = a_broker(9, 2, page=lambda number: rows(1))

        with pytest.raises(MalformedPayload):
            PnlApi(desk.caller).report(PERIOD)


def test_charges_are_one_question_and_a_refusal_is_told_with_its_code() -> None:
    with a_desk() as desk:
        desk.broker.standing = a_broker(0, 2, page=rows)
        assert PnlApi(desk.caller).charges(PERIOD).total
        desk.broker.standing = lambda asked: status(400, "error_refused")

        with pytest.raises(RequestRefused):
            PnlApi(desk.caller).charges(PERIOD)

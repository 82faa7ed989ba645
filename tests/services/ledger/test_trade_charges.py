"""What trades cost is kept by trade, replaced when it is computed anew, and unknown stays unknown."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from services.ledger.trade_charges import PORTION, TradeCharges
from services.portfolio.charges.lines import PaiseLines
from services.portfolio.records import TradeCharge
from tests.support.clocks import FakeClock
from tests.support.ledger import NOW, new_ledger
from tests.support.lots import fill

LINES = PaiseLines(brokerage=2000, stt=1500, exchange=56, sebi=1, stamp=200, gst=371)


def test_charges_are_kept_found_and_computed_anew(tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    one = fill("BUY", 5, "100", 0, trade_id="T1", account="A")
    known = TradeCharge(one.identity, "RELIANCE", "O1", "computed", LINES, "v1")
    other = replace(known, identity=replace(one, account="B").identity, status="no rate is known", lines=None)
    later = replace(known, identity=replace(one, trade_id="T2").identity, lines=PaiseLines())
    with closing(new_ledger(tmp_path)) as ledger:
        charges = TradeCharges(ledger, clock)

        assert charges.keep([known, other, later]) == 3
        assert charges.all() == [replace(one, computed_at=NOW) for one in (known, later, other)]
        assert charges.all("B")[0].lines is None
        assert charges.all("C") == []
        clock.instant += timedelta(minutes=5)
        charges.keep([replace(known, lines=None, status="reset", settings="v2")])

        now, _ = charges.all("A")
        assert (now.lines, now.settings, now.computed_at) == (None, "v2", clock.now())
        assert [one.identity[0] for one in charges.all()] == ["A", "A", "B"]
        assert charges.keep([replace(known, identity=(*known.identity[:3], str(n), *known.identity[4:]))
                             for n in range(PORTION + 1)]) == PORTION + 1  # fmt: skip
        assert len(charges.all()) == PORTION + 4
        kept = charges.all()
        clock.instant += timedelta(minutes=5)
        assert charges.keep(kept) == 0, "the same again is not written"
        assert charges.all() == kept

"""What somebody may take for a table: said in words, never half read."""

from __future__ import annotations

import io
import zipfile

import pytest

from services.domain.errors import InvalidRequest
from services.portfolio.readers.decoding import text_of_file
from services.portfolio.readers.tradebooks import read_tradebook

HEAD = "symbol,isin,trade_date,exchange,segment,trade_type,quantity,price,trade_id,order_id,order_execution_time"
ROW = "ACE,INE731H01025,2024-04-08,NSE,EQ,buy,5,1603.9,T1,O1,2024-04-08T10:59:52"


def _workbook() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty"),
        (b"\0" * 64, "empty"),
        (_workbook(), "Excel workbook .* save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "old Excel workbook"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF: of contract notes write the totals"),
        (b"\x1f\x8b\x08\x00abc", "packed"),
        (b"symbol,price\nM\xe9tal,5\n", "line 2 is not in UTF-8 .*0xe9"),
        (b"symbol,price\nA,5\nB\x00\x01,6\n", "line 3 holds bytes of no text"),
        (b"\xff\xfea\x00b", "UTF-16 and is not"),
        (b"\n<!DOCTYPE html><html>login</html>", "web page"),
        (b"a" * 65, "at most 0 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_told_with_what_to_do_instead(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        text_of_file(data, largest=64 if data[:1] == b"a" else 10_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_reads_the_same_whichever_way_a_spreadsheet_wrote_it(encoding: str, end: str) -> None:
    data = (HEAD + end + ROW + end).encode(encoding)

    (fill,) = read_tradebook(text_of_file(data, largest=10_000), account="Z").taken

    assert (fill.symbol, fill.quantity, fill.price, fill.order_id) == ("ACE", 5, 16_039_000, "O1")

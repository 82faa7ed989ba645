"""Bytes of a file that somebody chose, as text; or why it can be no table, in words that tell what to do instead."""

from __future__ import annotations

from services.domain.errors import InvalidRequest

_OTHERS = (
    (b"PK\x03\x04", "an Excel workbook (or another packed file): open it, save it as CSV (UTF-8), and choose that"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: open it, save it as CSV (UTF-8), and choose that"),
    (b"%PDF", "a PDF: of contract notes write the totals into a CSV table, one note a row"),
    (b"\x1f\x8b", "a packed file: unpack it first"),
    (b"Rar!", "a packed file: unpack it first"),
    (b"7z\xbc\xaf", "a packed file: unpack it first"),
)
_WIDE = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PAGES = ("<!doctype", "<html", "<?xml")


def text_of_file(data: bytes, *, largest: int) -> str:
    """The text of `data`: UTF-8, or UTF-16 with its mark, as spreadsheets write it. `InvalidRequest` for anything else:
    nothing is guessed, because a name read wrongly is another share."""
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise InvalidRequest("the file is empty")
    if len(data) > largest:
        raise InvalidRequest(
            f"the file has {len(data) / 1_048_576:,.1f} MB; at most {largest // 1_048_576} MB are read at once: "
            "split it by year"
        )
    for mark, what in _OTHERS:
        if data.startswith(mark):
            raise InvalidRequest(f"this is {what}")
    text = _decoded(data)
    if "\0" in text:
        raise InvalidRequest(f"line {_line_of(text)} holds bytes of no text: this is no table, or a damaged one")
    if text[:200].lstrip("\ufeff \t\r\n").lower().startswith(_PAGES):
        raise InvalidRequest("this is a web page, not a table: perhaps the broker answered with a page to log in")
    return text.removeprefix("\ufeff")


def _decoded(data: bytes) -> str:
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                raise InvalidRequest("the file says that it is UTF-16 and is not: save it as CSV (UTF-8)") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidRequest(
            f"line {line} is not in UTF-8 (byte {data[error.start]:#04x}): open the file in a spreadsheet and save it "
            "as CSV (UTF-8)"
        ) from None


def _line_of(text: str) -> int:
    return text.count("\n", 0, text.index("\0")) + 1

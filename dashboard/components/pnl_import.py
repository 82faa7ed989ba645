"""Import of tradebooks and contract-note totals: a file is looked over first, and every refused row is named."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard.components.pnl_entries import finish, open_form, opened_form, put_away
from dashboard.formatting import ist_moment, quantity
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.pnl_file_tables import FileColumn, FileTable, Kind, as_csv, file_name
from dashboard.pnl_record_words import days_words, plural, size_words
from dashboard.words import in_words
from services.domain.errors import UpstoxError
from services.pnl.book import PnlBook
from services.pnl.imports import LARGEST, ImportPreview
from services.portfolio.readers.rows import Refused
from services.portfolio.records import FileKind

IMPORT = "import"
_SEEN = "pnl-import-preview"
_MEGABYTE = 1024 * 1024
_MOST_SHOWN = 500
"""Refused rows on the screen; the file of them holds all."""
_AS_THE_FILE_SAYS = "As the file says"


def import_button(book: PnlBook, *, key: str, primary: bool = False) -> None:
    """The button that opens the dialog."""
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    icon = ":material/upload_file:"
    st.button("Import a file", key=key, icon=icon, type=kind, on_click=open_form, args=(IMPORT,))
    if opened_form(IMPORT) is not None:
        import_dialog(book)


def _forget() -> None:
    st.session_state.pop(_SEEN, None)


def _leave() -> None:
    _forget()
    put_away()


@st.dialog("Import trades or contract notes", width="large", icon=":material/upload_file:", on_dismiss=_leave)
def import_dialog(book: PnlBook) -> None:
    """Choose a file, see what it holds, take it or leave it."""
    st.caption(
        "A CSV file: the trade history of Upstox, the tradebook of Zerodha Console, this desk's own tradebook, or a "
        "table of contract-note totals. A trade counts once, in however many files it stands."
    )
    file = st.file_uploader("File", type=["csv", "txt"], key="pnl-import-file", max_upload_size=LARGEST // _MEGABYTE)
    if file is None:
        _forget()
        return
    account = _account(book)
    asked = (file.file_id, account)
    seen: tuple[tuple[str, str], ImportPreview | UpstoxError] | None = st.session_state.get(_SEEN)
    if seen is None or seen[0] != asked:
        seen = (asked, _looked_over(book, file.getvalue(), file.name, account))
        st.session_state[_SEEN] = seen
    found = seen[1]
    if isinstance(found, UpstoxError):
        words = in_words(found)
        st.error(plain(words.text), title="This file cannot be used", icon=":material/block:")
        return
    _told(found, book.state.account)
    _take(book, found)


def _account(book: PnlBook) -> str:
    """Whose trades they are: lots of one demat account are never matched with those of another."""
    running = book.state.account
    others = {file.account for file in book.imports.files()} - {"", running}
    names = [_AS_THE_FILE_SAYS, *([running] if running else []), *sorted(others)]
    chosen = st.selectbox(
        "Whose account",
        names,
        key="pnl-import-account",
        accept_new_options=True,
        format_func=lambda name: f"{name} (this desk's)" if name == running else name,
        help=(
            "Purchases and sales are matched within one account. As the file says: Upstox's own history belongs to "
            "this desk's account, a Zerodha tradebook to an account named Zerodha. Type a name for another one."
        ),
    )
    return "" if chosen in (None, _AS_THE_FILE_SAYS) else str(chosen).strip()


def _looked_over(book: PnlBook, data: bytes, name: str, account: str) -> ImportPreview | UpstoxError:
    bar = st.progress(0.0, "Reading the file")

    def tell(share: float) -> None:
        bar.progress(min(1.0, share), "Reading the file")

    try:
        return book.imports.preview(data, name, account=account, progress=tell)
    except UpstoxError as error:
        return error
    finally:
        bar.empty()


def _told(found: ImportPreview, running: str) -> None:
    """What is in the file, in words and figures."""
    what = "trade" if found.kind is FileKind.TRADES else "contract note"
    st.markdown(f"**{plain(found.source)}**&ensp;:small[:gray[{plain(f'{found.name}, {size_words(found.size)}')}]]")
    with st.container(horizontal=True, gap="large"):
        st.metric(f"New {what}s", quantity(found.new), width="content")
        st.metric("Known already", quantity(found.known + found.repeated), width="content")
        st.metric("Refused rows", quantity(len(found.refused)), width="content")
    whose = ", ".join(found.accounts[:4]) if found.accounts else found.account
    words = [days_words(found.first, found.last)]
    if found.symbols:
        named = ", ".join(found.symbols[:6]) + (" …" if len(found.symbols) > 6 else "")
        words.append(f"{plural(len(found.symbols), 'symbol')} ({named})")
    if whose:
        words.append(f"account {whose}")
    st.caption(plain(" · ".join(words)))
    if running and whose and running not in (*found.accounts, found.account):
        st.caption(
            f":material/info: {plain(f'Shown under {whose} (More, Account), apart from the trades of {running}.')}"
        )
    if found.already is not None:
        st.info(
            plain(
                f"This very file was imported as {found.already.name} on {ist_moment(found.already.imported_at)}. "
                "Taking it again changes nothing."
            ),
            icon=":material/content_copy:",
        )
    if found.conflicting:
        st.warning(
            plain(" · ".join(found.conflicts[:5]) + (" …" if found.conflicting > 5 else "")),
            title=f"{plural(found.conflicting, 'trade')} known with another quantity or price",
            icon=":material/difference:",
        )
        st.caption("The telling that says more counts, and the difference is listed under what cannot be known.")
    if found.refused:
        refused_rows(found.refused, found.name)


def refused_rows(refused: tuple[Refused, ...], name: str) -> None:
    """Every row that was not taken: its line, why, and how it begins."""
    reasons = Counter(row.reason for row in refused)
    most = ", ".join(f"{quantity(count)} × {reason}" for reason, count in reasons.most_common(3))
    more = f" and {plural(len(reasons) - 3, 'other reason')}" if len(reasons) > 3 else ""
    st.markdown(f"**{plain(plural(len(refused), 'row'))} refused**&ensp;:small[:gray[{plain(most + more)}]]")
    shown = refused[:_MOST_SHOWN]
    frame = pd.DataFrame(
        {
            "Line": [row.line for row in shown],
            "Why": [row.reason for row in shown],
            "The row begins": [row.text for row in shown],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        key="pnl-import-refused",
        height="content" if len(frame) <= 7 else 248,
        column_config={"Line": st.column_config.NumberColumn(width=70), "Why": st.column_config.TextColumn(width=280)},
    )
    if len(refused) > _MOST_SHOWN:
        st.caption(f"The first {_MOST_SHOWN}; the file below holds all of them.")
    table = FileTable(
        "Refused rows",
        (
            FileColumn("line", Kind.COUNT, [row.line for row in refused]),
            FileColumn("why", Kind.TEXT, [row.reason for row in refused]),
            FileColumn("row", Kind.TEXT, [row.text for row in refused]),
        ),
    )
    st.download_button(
        "List of refused rows",
        as_csv(table),
        file_name("refused", name.rpartition(".")[0] or name, ending="csv"),
        "text/csv",
        key="pnl-import-refused-file",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def _take(book: PnlBook, found: ImportPreview) -> None:
    what = "trade" if found.kind is FileKind.TRADES else "contract note"
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button("Leave it", key="pnl-import-no"):
            _leave()
            st.rerun()
        nothing = found.already is not None or not found.taken
        if found.already is not None:
            label = "It is imported already"
        elif not found.taken:
            label = "Nothing in it can be used"
        else:
            label = f"Import {plural(found.new, what)}" if found.new else "Keep the file; nothing in it is new"
        pressed = st.button(label, key="pnl-import-go", type="primary", icon=":material/upload_file:", disabled=nothing)
    if not pressed:
        return
    bar = st.progress(0.0, "Writing the trades")

    def tell(share: float) -> None:
        bar.progress(min(1.0, share), "Writing the trades")

    def take() -> None:
        book.imports.commit(found, actor(), progress=tell)
        _forget()

    refused = f", {plural(len(found.refused), 'row')} refused" if found.refused else ""
    finish(take, f"{plural(found.new, what)} imported from {found.name}{refused}")

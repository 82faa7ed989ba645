"""What a browser says of its address before it was told of the last choices does not undo them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from dashboard import late_links

INFY, RELIANCE, TCS = "NSE_EQ|INE009A01021", "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029"


def results() -> None:
    import streamlit as st

    from dashboard.pnl_choice import Choice
    from dashboard.pnl_state import begin, change, chosen

    begin(Choice)
    for symbol in ("INFY", "TCS"):
        st.button(symbol, on_click=lambda symbol=symbol: change(symbol=symbol))
    st.write(chosen().symbol or "all symbols")


def charts() -> None:
    from dataclasses import replace

    import streamlit as st

    from dashboard.chart_state import begin, charts, choose, chosen, show_two

    begin("NSE_EQ|INE002A01018")
    for key in ("NSE_EQ|INE009A01021", "NSE_EQ|INE467B01029"):
        st.button(key, on_click=lambda key=key: choose(0, replace(chosen(0), key=key)))
    st.button("Two", on_click=lambda: show_two(True))
    st.write(" and ".join(chosen(place).key for place in charts()))


def ticket() -> None:
    import streamlit as st

    from dashboard.ticket_state import begin, choose, loaded

    begin()
    for key in ("NSE_EQ|INE009A01021", "NSE_EQ|INE467B01029"):
        st.button(key, on_click=lambda key=key: choose(key))
    form = loaded()
    st.write(form.key if form else "no instrument")


def opened(page: Callable[[], None], **link: str) -> AppTest:
    app = AppTest.from_function(page)
    for name, word in link.items():
        app.query_params[name] = word
    return app.run()


def link_of(app: AppTest) -> dict[str, str]:
    return {name: word[0] if isinstance(word, list) else word for name, word in app.query_params.items()}


def say(app: AppTest, link: dict[str, str]) -> AppTest:
    """A run that a browser asks for with that link."""
    app.query_params.clear()
    app.query_params.update(link)
    return app.run()


def shown(app: AppTest) -> str:
    assert not app.exception
    return str(app.markdown[0].value)


@pytest.mark.parametrize(
    ("page", "link", "chosen"),
    [
        (results, {"period": "all"}, ("INFY", "TCS")),
        (charts, {"key": RELIANCE}, (INFY, TCS)),
        (ticket, {"key": RELIANCE}, (INFY, TCS)),
    ],
)
def test_no_link_from_before_the_last_choices_undoes_them(
    page: Callable[[], None], link: dict[str, str], chosen: tuple[str, ...]
) -> None:
    app = opened(page, **link)
    said = [link, link_of(app)]
    for place, name in enumerate(chosen):
        app.button[place].click().run()
        said.append(link_of(app))
        assert shown(app) == name
    for late in said:
        say(app, late)
        assert (shown(app), link_of(app)) == (chosen[-1], said[-1])


def test_a_late_link_does_not_take_the_second_chart_away() -> None:
    app = opened(charts)
    before = link_of(app)
    app.button[2].click().run()

    assert shown(say(app, before)) == f"{RELIANCE} and {RELIANCE}"


@pytest.mark.parametrize(("page", "first"), [(results, "all symbols"), (charts, RELIANCE)])
def test_a_link_of_before_that_comes_later_is_followed(
    page: Callable[[], None], first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(page, period="all")
    before = link_of(app)
    app.button[0].click().run()
    monkeypatch.setattr(late_links, "LATE_SECONDS", 0.0)

    assert shown(say(app, before)) == first


def test_going_back_at_once_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(charts)
    before = link_of(app)
    app.button[0].click().run()

    def gone_back(*, suppress_warning: bool) -> ScriptRunContext:
        run = get_script_run_ctx(suppress_warning=suppress_warning)
        assert run is not None
        run.is_history_navigation = True  # as the browser says with its way back
        return run

    monkeypatch.setattr("dashboard.late_links.get_script_run_ctx", gone_back)

    assert shown(say(app, before)) == RELIANCE

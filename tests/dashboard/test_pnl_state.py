from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import pnl_state


def page() -> None:
    import streamlit as st

    from dashboard.pnl_choice import Choice
    from dashboard.pnl_state import begin, change, chosen

    begin(Choice)
    st.button("One symbol", on_click=lambda: change(symbol="INFY"))
    st.write(chosen().symbol or "all symbols")


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(page)
    app.query_params["period"] = "all"
    return app.run()


def shown(app: AppTest) -> str:
    return str(app.markdown[0].value)


def test_a_link_that_has_not_heard_of_the_last_choice_does_not_undo_it(app: AppTest) -> None:
    app.button[0].click().run()
    assert (shown(app), app.query_params["symbol"]) == ("INFY", "INFY")

    del app.query_params["symbol"]  # as the browser sent it before it was told
    app.run()

    assert (shown(app), app.query_params["symbol"]) == ("INFY", "INFY")


def test_a_link_of_before_that_comes_later_is_followed(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.button[0].click().run()
    monkeypatch.setattr(pnl_state, "LATE_SECONDS", 0.0)  # the way back, pressed after a while

    del app.query_params["symbol"]
    app.run()

    assert shown(app) == "all symbols"

"""The cards of the account page: token, ways to log in, money and person, broker, settings that are safe to show."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st
from pydantic import AliasChoices, SecretStr

from dashboard.components.cards import card_title, fact_table
from dashboard.components.money_cards import show_money
from dashboard.components.notices import caution, live_part, problems_in_words, told_at
from dashboard.formatting import duration, ist_moment, ist_when, quantity
from dashboard.locks.gate import NOTICE
from dashboard.locks.person import person
from dashboard.markup import plain
from dashboard.portfolio_words import as_of_words
from dashboard.resources import desk, opening, person_keeper
from dashboard.routes import CALLBACK
from dashboard.theme import mode_look
from dashboard.words import in_words
from services.domain.accounts import TokenKind
from services.domain.errors import ConfigurationError, UpstoxError
from services.domain.phases import PhaseNow
from services.measures.checks import CheckState
from services.settings import Mode, Settings

BROKER_EVERY = 3.0

_KINDS = {
    TokenKind.ACCESS: "access token: everything, until 03:30 IST",
    TokenKind.READ_ONLY: "read-only token: prices and account, never an order",
}


@live_part(5.0)
def token_card() -> None:
    """Who is logged in, with what, for how much longer; and the way out."""
    login = desk().login
    state = login.state()
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            card_title("Token")
            st.space("stretch")
            if state.kind is None:
                st.badge("Not logged in", icon=":material/lock:", color="orange")
            else:
                st.badge("Logged in", icon=":material/check:", color="green")
        if state.kind is None:
            st.write(
                "There is no valid token, so the broker cannot be asked. Log in here; prices come back by themselves."
            )
        else:
            fact_table(
                {
                    "Logged in as": state.user or "not told by the broker",
                    "Token": _KINDS[state.kind],
                    "Ends": ist_moment(state.expires),
                    "Time left": duration(state.seconds_left),
                }
            )
        if state.problem and state.kind is not None:
            st.caption(state.problem)
        if state.kind is not None and st.button(
            "Log out at the broker" if person().signed_in else "Sign out",
            icon=":material/logout:",
            key="account-sign-out",
            disabled=not person().actor.role.may_operate,
        ):
            with problems_in_words():
                login.sign_out()
                st.rerun()


def sign_in_card() -> None:
    """Log in by the browser, by a pasted token, or on the phone."""
    runtime = desk()
    paper = runtime.settings.mode is Mode.PAPER
    logged_in = runtime.login.state().kind is not None
    with st.container(border=True, height="stretch"):
        card_title("Log in again" if logged_in else "Log in")
        if not person().actor.role.may_operate:
            st.info("An operator logs the desk in at the broker.", icon=":material/lock:")
            return
        try:
            url = runtime.login.authorization_url(
                own_callback() if paper and not runtime.settings.redirect_uri else None
            )
        except ConfigurationError as error:
            st.info(in_words(error).text, title="Login by the browser is not set up", icon=":material/info:")
        else:
            st.link_button(
                f"Log in at {_broker_name(runtime.settings)}",
                url,
                type="secondary" if logged_in else "primary",
                icon=":material/login:",
            )
            st.caption("Opens the broker's page in a new tab, which leads back here. The link is good for ten minutes.")
        with st.form("account-paste", clear_on_submit=True, border=False, enter_to_submit=False):
            pasted = st.text_input("Or paste a token", type="password", key="account-pasted", autocomplete="off")
            sent = st.form_submit_button("Use this token", icon=":material/content_paste:")
        if sent:
            _take_pasted(pasted)
        if not paper and st.button("Ask on my phone", icon=":material/smartphone:", key="account-phone"):
            with problems_in_words():
                asked = runtime.login.request_on_phone()
                st.success(
                    plain(
                        f"Approve the request in the Upstox app. The token is posted to {asked.notifier_url}, until "
                        f"{ist_moment(asked.expires)}; nothing here waits for it."
                    )
                )
        if not paper:
            st.caption(
                f"A token that is asked for on the phone comes by {NOTICE}: the app's notifier address has to lead "
                "there, over public HTTPS. It is kept only if a profile call proves it."
            )


def _broker_name(settings: Settings) -> str:
    if settings.mode is Mode.PAPER:
        return "the paper broker"
    return "the rehearsal broker" if settings.live_rehearsal else "Upstox"


def own_callback() -> str | None:
    """The callback's address as this browser sees the desk; `None` where the browser's address is not known."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}{CALLBACK}" if parts.netloc else None


@live_part(5.0)
def money_card() -> None:
    """Funds and person, as the broker told them last."""
    with st.container(border=True, height="stretch"):
        card_title("Funds and profile")
        with st.skeleton(height=170):
            show_money()
        look = person_keeper().look(desk().login.state().user)
        person = look.value
        if person is not None:
            fact_table(
                {
                    "Name": person.user_name,
                    "User id": person.user_id,
                    "Exchanges": ", ".join(person.exchanges),
                    "Products": ", ".join(person.products),
                    "Account": "active" if person.is_active else "not active",
                },
                current=look.problem is None,
            )
            if look.problem is not None and look.at is not None:
                told_at(f"Profile: {as_of_words(look.at, desk().clock.now(), look.problem)}", current=False)


def broker_card() -> None:
    """Where requests and prices come from, what time it is there, how current the instrument list is."""
    with st.container(border=True, height="stretch"):
        card_title("Paper broker" if desk().settings.mode is Mode.PAPER else "Broker")
        live_part(BROKER_EVERY, "account-broker")(_broker)()


def _broker() -> None:
    runtime = desk()
    source, now = runtime.source, runtime.clock.now()
    speed = getattr(runtime.clock, "speed", 1.0)
    facts = {
        "Broker": runtime.broker.label,
        "Prices": source.label,
        "Session": "practice, every market open"
        if source.practice
        else f"as the exchange: {_phase_words(runtime.phase())}",
        "Desk time": ist_moment(now) + (f", {speed:g} times as fast" if speed != 1 else ""),
        "Practice day": "ends at 03:30 IST" if source.practice else "",
        "Instruments": master_words(),
    }
    fact_table({name: text for name, text in facts.items() if text})
    answers = next(check for check in runtime.measures.checks() if check.name == "rest")
    if answers.state in (CheckState.WARN, CheckState.FAIL):
        caution(answers.reason)


def _phase_words(phase: PhaseNow) -> str:
    """closed (Saturday); open (until 15:30)."""
    return f"{phase.phase.value} ({phase.reason})" if phase.reason else phase.phase.value


def settings_card() -> None:
    """Settings without secrets, to compare with the app's registration."""
    runtime = desk()
    settings, broker = runtime.settings, runtime.broker
    facts = {
        "Mode": mode_look(settings).name,
        "Data folder": str(runtime.folder),
        "Route profile": str(settings.route_profile.value),
        "API": broker.api,
        "Orders": broker.order,
        "Files": broker.assets,
        "Client id": settings.client_id or "not set",
        "Client secret": "set" if settings.client_secret else "not set",
        "Read-only token": "set" if settings.read_token else "not set",
        "Redirect URI": settings.redirect_uri or "not set",
        "This desk answers at": own_callback() or CALLBACK,
    }
    with st.container(border=True, height="stretch"):
        card_title("Settings")
        left, right = st.columns(2, gap="medium")
        names = list(facts)
        for column, part in ((left, names[:6]), (right, names[6:])):
            with column:
                fact_table({name: facts[name] for name in part})
        with st.expander("Every setting"):
            fact_table(effective(settings))
        st.caption("Read once at start from the environment and .env; secrets are never shown.")


def effective(settings: Settings) -> dict[str, str]:
    """Every setting by the name of its variable, as it holds now; of a secret only whether there is one."""
    told = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        alias = field.validation_alias
        variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"DESK_{name.upper()}"
        if isinstance(value, SecretStr) or "SecretStr" in str(field.annotation):
            told[variable] = "set" if value else "not set"
        else:
            told[variable] = "not set" if value is None else str(value)
    return told


def master_words() -> str:
    """The state of the instrument list in words."""
    runtime = desk()
    state = runtime.instruments.state()
    if state.loading:
        return f"{quantity(state.rows)}; {state.loading} is being loaded"
    if not state.rows:
        problem = opening().master_problem
        return f"none yet: {in_words(problem).title}" if problem else "none yet"
    loaded = max((file.loaded_at for file in state.files if file.loaded_at), default=None)
    trouble = f"; {len(state.problems)} file(s) could not be renewed" if state.problems else ""
    return f"{quantity(state.rows)}, loaded {ist_when(loaded, runtime.clock.now())}{trouble}"


def _take_pasted(secret: str) -> None:
    try:
        token = desk().login.accept_pasted(secret)
    except UpstoxError as error:
        words = in_words(error)
        st.error(words.text, title=words.title)
    else:
        st.success(f"The token is kept, until {ist_moment(token.expires)}.", icon=":material/check:")

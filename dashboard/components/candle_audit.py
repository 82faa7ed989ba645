"""The audit of a series: which bars are missing, came late, changed, or cannot be right."""

from __future__ import annotations

import streamlit as st

from dashboard.chart_words import findings_rows
from dashboard.formatting import quantity
from services.candles.audit import AuditReport, Kind

MEANINGS = {
    Kind.NOT_FETCHED: "nobody has asked the broker yet, or it did not answer",
    Kind.NO_TRADE: "the broker was asked and has no bar there, though the session was on",
    Kind.BEFORE: "the broker has no bar of these days, nor of any before: perhaps it was not listed yet",
    Kind.LATE: "not in the broker's running answer of the day, but in its history",
    Kind.CHANGED: "the broker's history differs from what it told before",
    Kind.SUSPICIOUS: "cannot be right as it stands: shown all the same, as the broker tells it",
}


def audit_part(place: int, report: AuditReport | None) -> None:
    """A part that opens; what it holds is made only while it is open."""
    part = st.expander("Data audit", icon=":material/fact_check:", key=f"candles-audit-{place}", on_change="rerun")
    if not part.open:
        return
    with part:
        if report is None:
            st.caption("The bars are still being read.")
            return
        counts = {kind: report.count(kind) for kind in Kind}
        with st.container(horizontal=True, gap="small"):
            st.metric(
                "Bars", quantity(report.bars), border=True, help=f"of {quantity(report.expected)} in the sessions"
            )
            for kind, count in counts.items():
                if kind is Kind.BEFORE and not count:
                    continue
                st.metric(kind.value.capitalize(), quantity(count), border=True, help=f"{MEANINGS[kind]}.".capitalize())
        if report.days_unknown:
            st.caption(f"Of {report.days_unknown} days nobody has published whether there is a session.")
        rows = findings_rows(report)
        if not rows and not report.days_unknown:
            st.success("Every bar of every session is there, and none contradicts itself.", icon=":material/check:")
        elif not rows:
            st.caption("Of the days that can be judged every bar is there, and none contradicts itself.")
        if not rows:
            return
        st.dataframe(
            rows,
            hide_index=True,
            key=f"candles-findings-{place}",
            column_config={"Bars": st.column_config.NumberColumn(format="localized")},
        )

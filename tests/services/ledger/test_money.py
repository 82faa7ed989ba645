"""Amounts are kept exactly, or refused."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.money import Exact, from_units, settled, units

FILES_ONLY = True

kept = st.decimals(min_value="-900000000000000", max_value="900000000000000", places=4)


@given(amount=kept)
def test_what_has_four_places_comes_back_as_it_was(amount: Decimal) -> None:
    assert from_units(units(amount)) == amount


@given(amounts=st.lists(kept, max_size=20))
def test_sums_of_what_is_kept_are_sums_of_the_amounts(amounts: list[Decimal]) -> None:
    with localcontext() as context:
        context.prec = 60
        assert from_units(sum(map(units, amounts))) == sum(amounts, Decimal(0))


@pytest.mark.parametrize("text", ["0.00001", "1234.56789", "922337203685477.5808", "NaN", "Infinity"])
def test_what_cannot_be_kept_exactly_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|exactly"):
        units(Decimal(text))


@pytest.mark.parametrize("value", [1.5, 3, "2.50"])
def test_only_decimals_are_amounts(value: Any) -> None:
    with pytest.raises(ValueError, match="Decimal"):
        units(value)


def test_a_thread_with_little_precision_rounds_nothing() -> None:
    with localcontext() as context:
        context.prec = 3
        assert units(Decimal("123456.7891")) == 1234567891
        assert settled(Decimal("123456.78915")) == Decimal("123456.7892")


def test_an_average_is_kept_to_four_places_half_to_even() -> None:
    assert settled(Decimal("1234.56666667")) == Decimal("1234.5667")
    assert settled(Decimal("0.00005")) == 0
    assert settled(Decimal("0.00015")) == Decimal("0.0002")
    assert settled(Decimal("82.0025")) == Decimal("82.0025")


def test_the_column_holds_whole_numbers() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    table = sa.Table("money", sa.MetaData(), sa.Column("amount", Exact))
    table.metadata.create_all(engine)

    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"amount": Decimal("-0.0025")}, {"amount": None}])
        assert connection.execute(sa.select(table.c.amount)).scalars().all() == [Decimal("-0.0025"), None]
        assert connection.exec_driver_sql("SELECT amount, typeof(amount) FROM money").all() == [
            (-25, "integer"),
            (None, "null"),
        ]
        with pytest.raises(sa.exc.StatementError, match="Decimal"):
            connection.execute(sa.insert(table), {"amount": 0.5})
    engine.dispose()

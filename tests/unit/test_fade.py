"""The tables of fading are what the formula says, and can't be changed by who reads them."""

from decimal import Decimal, getcontext

import pytest

from laurel.models.fade import fade_table, memory_table
from laurel.models.parameters import V1


def test_the_tables_are_the_formulas_rounded() -> None:
    getcontext().prec = 50
    for age in range(90):
        decay = Decimal(2) ** (Decimal(-age) / 30)
        taper = (1 - (Decimal(age) / 90) ** 2) ** 3
        assert fade_table(V1)[age] == max(1, round(65536 * decay * taper))
        assert memory_table(V1)[age] == round(65536 * Decimal(2) ** (Decimal(-age) / 20) * taper)


def test_a_table_is_made_once_and_read_only() -> None:
    assert fade_table(V1) is fade_table(V1)
    with pytest.raises(ValueError, match="read-only"):
        fade_table(V1)[0] = 1

"""Signals on a screen: what each share is of, and of what day."""

from typing import Any

from laurel.cli.show_signals import of_many, of_one
from laurel.streams.calendar import iso
from tests.unit.test_show import drawn

DAY = 20_000


def record(**fields: Any) -> dict[str, Any]:
    shares = {"burst": 0.1, "concentration": 0.56, "youth": 0.0, "flagged": ["concentration"]}
    return {"person": "twitter:a", "day": DAY, "reactions": 190, "named": 180, **shares, **fields}


def test_one_person_s_signals_say_what_they_are_shares_of() -> None:
    found = " ".join(drawn(of_one(record()), 200).split())
    assert "190 reactions within 90 days" in found
    assert "180 named: all by the accounts that acted within 90 days, each one's since it began" in found
    assert "0.56 !" in found
    assert "1.00 if one account gave all named reactions, 0.50 if two gave half each" in found
    assert "fewer than 7 days before they last acted on this one" in found


def test_a_record_of_another_day_than_the_list_s_is_dated() -> None:
    found = drawn(of_many([record(), record(person="twitter:b", day=DAY + 1)], DAY), 200).splitlines()
    assert [line for line in found if iso(DAY + 1) in line] == [line for line in found if "twitter:b" in line]
    assert not [line for line in found if iso(DAY) in line]

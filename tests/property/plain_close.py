"""What a close counts of accounts' rows, told in plain Python: a row after the other, whole numbers, no arrays."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from laurel.models.fade import fade_table
from laurel.models.kernels.days import HALF, MOST
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged


@dataclass
class Account:
    """Of one account: code -> (part, count); network -> (part, reactions, posts) now, then, and of then as old as now; whether anything
    counts, now and then."""

    parts: dict[int, tuple[int, int]] = field(default_factory=dict)
    places: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    there: tuple[bool, bool] = (False, False)


def what_counts(weight: int, model: ScoreModel) -> int:
    return round(2.0 * weight / (1.0 + math.sqrt(1.0 + weight / (1_000_000 * model.day_knee))))


def total(parts: Iterable[tuple[int, int]]) -> int:
    """The sum of weight * fade, held at MOST, or within a hair of it."""
    pairs = list(parts)
    high = sum((weight >> HALF) * fade for weight, fade in pairs)
    return sum(weight * fade for weight, fade in pairs) if high < (MOST >> HALF) - (1 << HALF) else MOST


def days(buckets: Ragged, day: int, before: int, networks: Networks, model: ScoreModel) -> list[Account]:
    """What the closes of two days count of BUCKET rows."""
    table = fade_table(model).tolist()

    def fade(age: int) -> int:
        return table[age] if 0 <= age < len(table) else 0

    found = []
    for begin, end in zip(buckets.offsets[:-1].tolist(), buckets.offsets[1:].tolist(), strict=True):
        rows = _summed(buckets.rows[begin:end].tolist(), day, before, networks, len(table))
        account, parts, counts = Account(), defaultdict(list), defaultdict(int)
        whole: dict[int, list[list[tuple[int, int]]]] = defaultdict(lambda: [[], [], []])
        numbers: dict[int, list[list[int]]] = defaultdict(lambda: [[0, 0, 0] for _ in range(3)])
        for (moment, network), codes in rows.items():
            now, then = fade(day - moment), fade(before - moment)
            came, earlier = (sum(max(sums[old], 0) for sums in codes.values()) for old in (0, 2))
            for to, weight, faded in zip(whole[network], (came, earlier, earlier), (now, then, now), strict=True):
                to.append((what_counts(weight, model), faded))
            for code, sums in codes.items():
                for to, count, faded in zip(
                    numbers[network], (sums[1], sums[3], sums[3]), (now, then, now), strict=True
                ):
                    to[networks.kind[code]] += count * faded
                if now:
                    per_point = float(what_counts(came, model)) / float(max(came, 1))
                    parts[code].append((round(max(sums[0], 0) * per_point), now))
                    counts[code] += sums[1] * now
        account.parts = {code: (total(parts[code]), counts[code]) for code in sorted(parts)}
        account.places = {
            network: [(total(to), n[0], n[1]) for to, n in zip(whole[network], numbers[network], strict=True)]
            for network in sorted(whole)
        }
        account.there = tuple(sum(sum(n[when]) for n in numbers.values()) > 0 for when in (0, 1))
        found.append(account)
    return found


def _summed(
    rows: list[tuple[int, ...]], day: int, before: int, networks: Networks, window: int
) -> dict[tuple[int, int], dict[int, list[int]]]:
    """By day and network, and then by code: weight and count at the second close, and at the first."""
    found: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    for moment, admit, action, weight, count in rows:
        (at,) = np.flatnonzero(networks.ids == action).tolist() or [-1]
        if at >= 0 and admit <= day and before - window < moment <= day:
            sums = found[moment, int(networks.network_code[at])][at]
            for old in (0, 2) if admit <= before else (0,):
                sums[old] += weight
                sums[old + 1] += count
    return found


def topics(rows: Ragged, day: int, model: ScoreModel) -> list[list[tuple[int, int, int]]]:
    """Topic, strength and +Ks of TOPIC rows, ascending, for each account."""
    table, found = fade_table(model).tolist(), []
    for begin, end in zip(rows.offsets[:-1].tolist(), rows.offsets[1:].tolist(), strict=True):
        weights, plus_ks = defaultdict(list), defaultdict(int)
        for moment, admit, topic, weight, plus_k in rows.rows[begin:end].tolist():
            if admit <= day and 0 <= day - moment < len(table):
                weights[topic].append((weight, table[day - moment]))
                plus_ks[topic] += plus_k
        found.append([(topic, total(weights[topic]), plus_ks[topic]) for topic in sorted(weights)])
    return found


def people(rows: Ragged, day: int, model: ScoreModel) -> list[tuple[int, ...]]:
    """Sums of PEOPLE rows for each account, in the order of reach.SUMS: never negative, and nobody more than there can be."""
    found = []
    for begin, end in zip(rows.offsets[:-1].tolist(), rows.offsets[1:].tolist(), strict=True):
        sums = [0] * 5
        for moment, admit, *counted in rows.rows[begin:end].tolist():
            if admit <= day and 0 <= day - moment < model.window_days:
                sums = [one + more for one, more in zip(sums, counted, strict=True)]
        number, young, points, acts, squares = (max(0, one) for one in sums)
        found.append((number, min(young, number), min(points, 100 * number), acts, squares))
    return found

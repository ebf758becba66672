"""Pictures of single formulas of the score, drawn from the functions that compute it."""

import numpy as np
from matplotlib.figure import Figure

from docs.plots.style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, line, note, panels, scales
from laurel.models.amplification import amplification
from laurel.models.daily import POINT, counted
from laurel.models.fade import FADE_UNIT, fade_table, memory_table
from laurel.models.memory import potential
from laurel.models.parameters import V1
from laurel.models.react import engager_factor, selectivity
from laurel.models.scale import base_score, raw_of, score
from tests.property.pure import Hold, Population, acts

DAYS = (0, 15, 30, 45, 60, 75, 90)
SHARE = (0, 0.25, 0.5, 0.75, 1)


def unit_for_base(points: float) -> float:
    """The r0 (points of raw influence) at which who has no influence has so many points."""
    return float(V1.prior / np.expm1((points - V1.lowest) / (V1.highest - V1.lowest) * np.log1p(V1.top_ratio)))


def fade() -> Figure:
    """What an act still counts, day by day."""
    figure, (panel,) = panels("What a reaction still counts, by its age")
    ages = np.arange(V1.window_days + 1)
    line(panel, "half-life alone", ages, 2.0 ** (-ages / V1.half_life), FAINT, style="--", width=1.2)
    line(panel, "memory of the pair", ages[:-1], memory_table(V1) / FADE_UNIT, ORANGE)
    line(panel, "influence", ages, np.append(fade_table(V1), 0) / FADE_UNIT, BLUE, width=2.4)
    note(panel, "influence", 16.5, 0.43, BLUE)
    note(panel, "what its pair is\nremembered by", 1.5, 0.12, ORANGE)
    note(panel, "a half-life of 30 days alone,\nwith a cliff on day 90", 63, 0.37, FAINT)
    scales(panel, ("age in days", DAYS), ("share", SHARE))
    return figure


def select() -> Figure:
    """What the acts of one actor and day count."""
    figure, (each, together) = panels("What the n-th act of somebody's day counts", "What they count together")
    ordinal = np.arange(1, 101)
    share = selectivity(ordinal, V1) / 1e6
    line(each, "each", ordinal, share)
    note(each, "the first ten in full", 17, 0.94)
    note(each, "the 100th: a tenth", 98, 0.3, align="right")
    line(together, "as many acts", [0, 100], [0, 100], FAINT, style="--", width=1.2)
    line(together, "together", np.append(0, ordinal), np.append(0, np.cumsum(share)))
    note(together, "if all counted alike", 50, 65, FAINT, "right")
    note(together, f"100 acts count as {share.sum():.0f}", 98, 17, BLUE, "right")
    scales(each, ("n", (0, 25, 50, 75, 100)), ("share", SHARE))
    scales(together, ("acts on a day", (0, 25, 50, 75, 100)), ("full acts", (0, 25, 50, 75, 100)))
    return figure


def day() -> Figure:
    """What a day's weights count, added up."""
    figure, (few, many) = panels("What a day's points of influence count", "Up to a day of very many")
    for panel, weights in ((few, np.linspace(0, 10, 201)), (many, np.geomspace(0.01, 10_000, 121))):
        whole = counted(np.rint(weights * POINT).astype(np.int64), V1) / POINT
        plain = weights[weights <= (4 if panel is few else 100)]
        line(panel, "if all counted", plain, plain, FAINT, style="--", width=1.2)
        line(panel, "counted", weights, whole, BLUE, width=2.4)
    ten, hundred = counted(np.array([10, 100]) * POINT, V1) / POINT
    note(few, "if all of them counted", 4.4, 3.7, FAINT)
    note(few, f"10 points count {ten:.2f}", 9.9, float(ten) + 0.28, BLUE, "right")
    note(many, f"100 points count {hundred:.1f}: ten times\nas many count {hundred / ten:.1f} times", 1.3, 0.12, BLUE)
    scales(few, ("points that came in", (0, 2, 4, 6, 8, 10)), ("points counted", (0, 1, 2, 3, 4)))
    ticks = (0.01, 0.1, 1, 10, 100, 1_000, 10_000)
    scales(many, ("points that came in", ticks), ("points counted", (0.01, 0.1, 1, 10, 100)), log_x=True)
    many.set_yscale("log")
    many.minorticks_off()
    many.set_yticks((0.01, 0.1, 1, 10, 100), ("0.01", "0.1", "1", "10", "100"))
    many.set_ylim(0.01, 100)
    return figure


def repeats() -> Figure:
    """What one person's repeated acts on the same target weigh, on one day and over days."""
    figure, (same, apart) = panels("The n-th act of a pair on one day", "One act every so many days")
    ordinal = np.arange(1, 11)
    added = np.diff(potential(np.arange(11) * 1_000_000)) / 1e6
    line(same, "same day", ordinal, added, marker="o")
    note(same, f"the first: {added[0]:.2f}", 1.4, added[0])
    note(same, f"the tenth: {added[-1]:.2f}", 10, 0.13, align="right")
    ends = {"month": (30, GREEN, 0.9), "week": (7, PURPLE, 0.42), "day": (1, ORANGE, 0.16)}
    for said, (step, colour, place) in ends.items():
        people = Population(2, Hold())
        weights = []
        for day in range(V1.window_days):
            if day % step == 0:
                weights.append(people.take(acts(1, 0, "twitter/reply", day))[0] / 1e6)
            people.mark()
            people.close()
        line(apart, said, np.arange(0, V1.window_days, step), weights, colour, marker="o" if step > 1 else "")
        note(apart, f"every {said}", 89, place, colour, "right")
    scales(same, ("n", (0, 2, 4, 6, 8, 10)), ("weight in points", (0, 0.25, 0.5, 0.75, 1)))
    scales(apart, ("day", DAYS), ("weight in points", (0, 0.25, 0.5, 0.75, 1)))
    return figure


def amplify() -> Figure:
    """The share of influence that is kept, by reactions per post."""
    figure, (ratio, spread) = panels("By reactions per post", "100 reactions, to ever more posts")
    times = np.geomspace(0.01, 10, 121)
    for count, colour, at in ((1, PURPLE, 0.81), (10, GREEN, 0.59), (100, BLUE, 0.39)):
        line(ratio, f"{count} posts", times, amplification(times * count, np.full(121, float(count)), 1.0, V1), colour)
        note(ratio, f"of {count} post" + "s" * (count > 1), 0.012, at, colour)
    posts = np.geomspace(1, 1_000, 121)
    for mean, colour in ((1.0, BLUE), (10.0, ORANGE)):
        line(spread, f"mean {mean:g}", posts, amplification(np.full(121, 100.0), posts, mean, V1), colour)
    note(spread, "network's\nmean 1", 220, 0.8, BLUE)
    note(spread, "network's\nmean 10", 1.3, 0.72, ORANGE)
    scales(ratio, ("reactions per post / the network's mean", (0.01, 0.1, 1, 10)), ("share kept", SHARE), log_x=True)
    scales(spread, ("posts", (1, 10, 100, 1_000)), ("share kept", SHARE), log_x=True)
    return figure


def scale() -> Figure:
    """From raw influence to score."""
    figure, (panel,) = panels("The score of a raw influence, and the points that are lent to everybody")
    raw = np.concatenate(([0.0], np.geomspace(0.1, 1_000_000, 141)))
    for base, colour, at in ((5.0, PURPLE, 9), (15.0, GREEN, 11), (19.5, BLUE, 25)):
        r0 = unit_for_base(base)
        line(panel, f"base {base:g}", raw[1:], score(raw[1:], r0, V1), colour)
        assert abs(base_score(r0, V1) - base) < 1e-9
        note(panel, f"base {base:g}", 1.5 if base == 15 else 0.12, at, colour)
    first, last = (float(raw_of(np.array([points]), unit_for_base(5.0), V1)[0]) for points in (60.0, 70.0))
    line(panel, "ten points more", [first, last, last], [60, 60, 70], INK, width=1)
    note(panel, f"ten points more:\n{last / first:.1f} times the influence", last * 1.5, 58)
    scales(
        panel,
        ("raw influence in points (without those that are lent)", (0.1, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)),
        ("score", (0, 20, 40, 60, 80, 100)),
        log_x=True,
    )
    return figure


def engage() -> Figure:
    """What an engager's own score does to the weight of what they do."""
    figure, (panel, gain) = panels("What an act is multiplied by", "What one more reply adds to a score")
    earned = np.arange(81)
    factor = engager_factor(earned, V1) / 1e6
    first = potential(np.array([1_000_000, V1.anonymous_share])) / 1e6
    line(panel, "named", earned, factor)
    line(panel, "nobody named", earned, np.full(81, first[1] / first[0]), FAINT, style="--", width=1.2)
    note(panel, "somebody named", 38, 19, BLUE, "right")
    note(panel, f"nobody named: {first[1] / first[0]:.2f}", 79, 2.2, FAINT, "right")
    r0 = unit_for_base(19.0)
    for points, colour in ((25.0, PURPLE), (40.0, GREEN), (60.0, BLUE)):
        before = raw_of(np.array([points]), r0, V1)
        whole = counted(np.rint(first[0] * factor * POINT).astype(np.int64), V1) / POINT
        gained = score(before + whole, r0, V1) - points
        line(gain, f"score {points:g}", earned, gained, colour)
        note(gain, f"of {points:g}", 60, float(gained[60]) + 0.06, colour, "right")
    ticks = (0, 20, 40, 60, 80)
    scales(panel, ("points the engager has earned above the base", ticks), ("factor", (0, 5, 10, 15, 20, 25)))
    scales(gain, ("points the engager has earned above the base", ticks), ("points gained", (0, 0.25, 0.5, 0.75, 1)))
    return figure

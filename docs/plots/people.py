"""Pictures of whole populations: synthetic engagements, weighed, added up and closed day by day as the tests do it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.plots.formulas import unit_for_base
from docs.plots.style import BLUE, FAINT, GREEN, INK, ORANGE, PAPER, PURPLE, line, note, panels, scales
from laurel.models.contributions import BASE, contributions
from laurel.models.parameters import V1
from laurel.models.scale import base_score, histogram, score, score_percentiles
from tests.property.logs import population
from tests.property.pure import NETWORKS, Close, Hold, Log, acts, posts, run

HELD = Hold(unit_for_base(19.0))  # a calibration by which who has no influence has 19 points
POINTS = (0, 20, 40, 60, 80, 100)


def crowd(first: int, target: int, sizes: list[int], action: str = "twitter/retweet") -> Log:
    """sizes[day] people never seen before, numbered from `first` on, act on a target each day."""
    return acts(first + np.arange(sum(sizes)), target, action, np.repeat(np.arange(len(sizes)), sizes))


def everyday() -> Figure:
    """Scores of three people through most of a year: a loud day, steady days, and a quiet weekend."""
    figure, (year, weekend) = panels("A loud day, and steady days", "A quiet weekend, close up")
    days, loud, quiet = 300, 30, 230
    steady = [10] * days
    pausing = [0 if quiet <= day < quiet + 2 else 10 for day in range(days)]
    once = [1_000 if day == loud else 0 for day in range(days)]
    log = crowd(3, 0, once) + crowd(2_000, 1, steady) + crowd(6_000, 2, pausing)
    closes = run(log, 10_000, days - 1, HELD)
    scores = np.array([np.where(close.present, close.scores, np.nan)[:3] for close in closes])
    base = float(base_score(HELD.r0, V1))
    from_loud = np.where(np.isnan(scores[:, 0]), base, scores[:, 0])
    day = np.arange(days)
    line(year, "loud day", day[loud - 1 :], from_loud[loud - 1 :], ORANGE)
    line(year, "steady", day, scores[:, 1], BLUE)
    note(year, "1,000 retweets\non one day", 60, 25, ORANGE)
    note(year, "10 retweets a day", 298, 31.5, BLUE, "right")
    note(year, "the base: no influence", 298, 17, FAINT, "right")
    near = slice(quiet - 4, quiet + 15)
    at = day[near] - quiet
    line(weekend, "steady near", at, scores[near, 1], FAINT, style="--", width=1.2)
    line(weekend, "pausing", at, scores[near, 2], BLUE, marker="o")
    low = float(scores[near, 2].min())
    note(weekend, f"two days without anything\ncost {scores[quiet - 1, 2] - low:.1f} points", 2.6, low - 0.15)
    scales(year, ("day", (0, 60, 120, 180, 240, 300)), ("score", (15, 20, 25, 30, 35, 40)))
    middle = round(float(scores[quiet, 1]))
    scales(weekend, ("days since it began", (-4, 0, 5, 10, 14)), ("score", range(middle - 1, middle + 2)))
    return figure


def acting() -> Figure:
    """The score by how many people act, and by what they do."""
    figure, (panel,) = panels("The score by how many people act within a day")
    counts = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000])
    kinds = {
        "retweet": ("twitter/retweet", BLUE, 480, 25.5, "right"),
        "like": ("twitter/like", GREEN, 620, 22.6, "left"),
        "watch a video": ("youtube/view", PURPLE, 110, 20.2, "left"),
    }
    log, first, target = acts([], []), 100, 0
    for action, *_ in kinds.values():
        for count in counts:
            log += acts(first + np.arange(count), target, action)
            first, target = first + int(count), target + 1
    log += posts(target, 1)
    (close,) = run(log, first, hold=HELD)
    for at, (said, (_, colour, x, y, align)) in enumerate(kinds.items()):
        line(panel, said, counts, close.scores[at * len(counts) : (at + 1) * len(counts)], colour, marker="o")
        note(panel, said, x, y, colour, align)
    line(panel, "follow", counts, np.full(len(counts), close.scores[target]), FAINT, marker="o")
    note(panel, "follow, and do nothing", 34, 18, FAINT)
    scales(panel, ("people", (1, 10, 100, 1_000)), ("score", (16, 18, 20, 22, 24, 26)), log_x=True)
    return figure


def free(panel: Axes, until: int = V1.free_days) -> None:
    """Shades the days on which calibration follows the population freely."""
    panel.axvspan(0, until, color=FAINT, alpha=0.12, linewidth=0)


def growth() -> Figure:
    """The average, and scores that nobody touches, while a population grows by two percent a day."""
    figure, (average, alone) = panels("The average, as people join", "Scores of influence that stays as it is")
    rng, log, days = np.random.default_rng(1), posts(0, 1), 120
    for day in range(days):
        active = int(60 * 1.02**day)
        target = np.minimum((rng.pareto(1.0, 2 * active) * active / 20).astype(np.int64), active - 1)
        log += acts((target + rng.integers(1, active, len(target))) % active, target, day=day)
        log += posts(10_000 + np.arange(day % 3, 2 * active, 3), 1, day=day)
    closes = run(log, 12_000)
    x, r0 = np.arange(days), np.array([close.r0 for close in closes])
    line(average, "average", x, [close.mean for close in closes])
    people = [int(close.present.sum()) for close in (closes[0], closes[-1])]
    note(average, f"from {people[0]:,} people to {people[1]:,}", 118, 21, INK, "right")
    for raw, colour in ((1_000.0, ORANGE), (100.0, PURPLE), (0.0, FAINT)):
        scores = score(np.full(days, raw), r0, V1)
        line(alone, f"raw {raw:,.0f}", x, scores, colour)
        note(alone, f"raw {raw:,.0f}", 118, float(scores[-1]) + 6, colour, "right")
    for panel in (average, alone):
        free(panel)
    note(average, "calibrated freely", 22.5, 16.5, FAINT, "center")
    scales(average, ("day", (0, 30, 60, 90, 120)), ("average score", (16, 18, 20, 22, 24)))
    scales(alone, ("day", (0, 30, 60, 90, 120)), ("score", POINTS))
    return figure


def overnight() -> Figure:
    """What calibration does when a whole population's influence multiplies in one night."""
    figure, (average, unit) = panels("The average, forty times the acts on day 60", "The unit r0")
    sizes = np.full(150, 100)
    sizes[60] = 4_000
    closes: list[Close] = run(population("everybody alike", 7, 200, sizes), 200)
    x = np.arange(len(sizes))
    means = np.array([close.mean for close in closes])
    line(average, "mean", x, means)
    note(average, f"{means.max():.0f} on the day itself", 64, float(means.max()) + 0.2)
    line(unit, "r0", x, [close.r0 for close in closes], ORANGE)
    note(unit, "2 % a day\nat most", 72, 7.5, ORANGE, "left")
    for panel in (average, unit):
        free(panel)
    note(average, "calibrated\nfreely", 22.5, 21.5, FAINT, "center")
    scales(average, ("day", (0, 30, 60, 90, 120, 150)), ("average score", (18, 19, 20, 21, 22)))
    scales(unit, ("day", (0, 30, 60, 90, 120, 150)), ("r0 in points", (0, 2, 4, 6, 8)))
    return figure


def networks() -> Figure:
    """The score of somebody as networks are connected one after the other."""
    figure, (panel,) = panels("Connecting one network after the other")
    added = {
        "Twitter": crowd(10, 0, [100]),
        "+ Facebook": crowd(200, 0, [40], "facebook/comment"),
        "+ YouTube": crowd(300, 0, [200], "youtube/view"),
        "+ Instagram,\n50 posts, no reaction": posts(0, 50, "instagram"),
    }
    log, scores = posts(9, 1), []
    for more in added.values():
        log += more
        scores.append(float(run(log, 600, hold=HELD)[-1].scores[0]))
    places = np.arange(len(added))
    panel.bar(places, scores, width=0.5, color=[BLUE, BLUE, BLUE, FAINT])
    line(panel, "networks", places, scores, INK, width=0, marker="o")
    for place, points in zip(places, scores, strict=True):
        note(panel, f"{points:.1f}", float(place), points + 1.4, align="center")
    scales(panel, ("", (-0.6, 0, 1, 2, 3, 3.6)), ("score", (0, 5, 10, 15, 20, 25)))
    panel.set_xticks(places, list(added))
    panel.grid(visible=False, axis="x")
    return figure


def parts() -> Figure:
    """What three scores are made of."""
    figure, (panel,) = panels("What three scores are made of")
    kinds = ("twitter/retweet", "twitter/like", "facebook/comment")
    names = [f"{n}/{a}" for n, a in zip(NETWORKS.network, NETWORKS.action, strict=True)]
    code = np.array([names.index(kind) for kind in kinds])
    amounts = np.array([[8.0, 12.0, 0.0], [90.0, 40.0, 60.0], [900.0, 100.0, 1600.0]])
    amplified = np.tile([1.0, 1.0, 0.5], 3)
    base = float(base_score(HELD.r0, V1))
    total = score((amounts * amplified.reshape(3, 3)).sum(axis=1), HELD.r0, V1)
    found = contributions(total, base, np.arange(4) * 3, np.tile(code, 3), amounts.ravel(), amplified)
    ends = np.zeros(3)
    labels = ["base", "retweets", "likes", "comments"]
    for label, kind, colour in zip(labels, [BASE, *code], [FAINT, BLUE, GREEN, ORANGE], strict=True):
        points = np.zeros(3)
        owner = np.repeat(np.arange(3), np.diff(found.offsets))
        mine = found.code == kind
        points[owner[mine]] = found.points[mine]
        panel.barh(np.arange(3), points, left=ends, height=0.5, color=colour)
        for row in np.flatnonzero(points > 5):
            note(panel, f"{points[row]:.1f}", ends[row] + points[row] / 2, float(row), PAPER, "center")
        ends += points
        note(panel, label, float(ends[2] - points[2] / 2), 2.42, colour, "center")
    line(panel, "sums", ends, np.arange(3), INK, width=0, marker="o")
    for at, (whole, end) in enumerate(zip(total.tolist(), ends.tolist(), strict=True)):
        note(panel, f"= {whole:.1f}", end + 1.2, at)
    scales(panel, ("points", POINTS), ("", (-0.5, 0, 1, 2, 2.7)))
    panel.set_yticks(np.arange(3), ["A", "B", "C"])
    panel.grid(visible=False, axis="y")
    return figure


def population_day() -> Figure:
    """How scores of a day spread over a synthetic population."""
    figure, (panel,) = panels("A day's scores of 2,000 people whose reactions fall unevenly (zipf)")
    close = run(population("zipf 1", 4, 2_000, np.full(20, 2_000)), 2_000)[-1]
    bins = histogram(close.raw[close.present], V1)
    line(panel, "percentiles", np.arange(101), score_percentiles(bins, close.r0, V1))
    line(panel, "average", [0, 100], [close.mean, close.mean], FAINT, style="--", width=1.2)
    note(panel, f"the average: {close.mean:.1f}", 2, close.mean + 6, FAINT)
    scales(panel, ("percent of people with this score or a lower one", (0, 25, 50, 75, 90, 100)), ("score", POINTS))
    return figure

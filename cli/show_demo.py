"""The demo's results: leaders over time, topics and sashes, one score explained, the scale, and every event accounted for."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from laurel.cli.demo_run import Outcome
from laurel.cli.show import BLUE, BOTH, GOLD, columns, heading, plain, points, sparkline
from laurel.cli.show_results import change_of, explanation, grid
from laurel.models.refusals import REASONS
from laurel.streams.calendar import iso

LINE = 32  # characters of a sparkline
CHART = 50, 5  # columns and lines of the histogram: two points of the score a column
BECAME = {
    "counted": "counted for a score, a topic or as a post",
    "duplicate": "seen before",
    "retracted": "taken back",
    "withdrawn": "taken back before it came",
    "waiting_retraction": "takes back what hasn't come",
    "unmatched_retraction": "took back what counts no more",
}
MORE = {
    "stackexchange": "an answer is a reply and a post, an accepted one a +K on each tag",
}


def outcome(found: Outcome) -> RenderableType:
    """All there is to see of one data set."""
    source = found.source
    title = Text(f"{source.described.title}  ", style="bold")
    title.append(f"{iso(source.first)} to {iso(source.last)}, {found.closed['people']:,} people", style="not bold")
    parts: list[RenderableType] = [
        Rule(title, align="left", style="cyan"),
        Text(source.described.credit, style="dim"),
        Text(),
        _leaders(found),
        Text(),
        _topics(found),
    ]
    if found.explained:
        history = found.history[found.explained]
        title = heading("one of them explained", f"laurel explain {plain(found.explained)}")
        parts += [Text(), title, Text(), explanation(history[-1], history, found.worn, found.closed["people"])]
    return Group(*parts, Text(), _histogram(found), Text(), _accounts(found))


def speed(outcomes: Sequence[Outcome], seconds: float) -> RenderableType:
    """How fast it went."""
    table = grid("left", "right", "right", "right", "right", "right", names=0)
    for found in outcomes:
        summary, days = found.summary, len(found.summary.days_closed)
        table.add_row(
            f"  {found.source.name}",
            f"{summary.seconds:.1f} s",
            f"{summary.published:,} events",
            f"{days} days",
            f"{summary.rate:,.0f} events/s",
            f"{summary.seconds / max(days, 1):.2f} s/day",
        )
    return Group(heading("how long it took", f"{seconds:.0f} s in all, with each day closed and scored"), table)


def exploring(outcomes: Sequence[Outcome]) -> RenderableType:
    """Commands to try on the broker that still runs."""
    found = outcomes[0]
    person = plain(found.explained) if found.explained else "ACCOUNT"
    prefixes = " or ".join(other.settings.topic_prefix for other in outcomes)
    lines = [
        ("export LAUREL_BOOTSTRAP=" + found.settings.servers, "in another terminal"),
        ("export LAUREL_TOPIC_PREFIX=" + found.settings.topic_prefix, prefixes if len(outcomes) > 1 else ""),
        ("laurel top", "everybody by score"),
        (f"laurel explain {person}", "why somebody has a score"),
        *(
            [(f"laurel top {plain(found.boards[0].topic)} --plus-k", "a topic's recipients of +Ks")]
            if found.boards
            else []
        ),
        ("laurel watch score-updates --from-beginning", "all that consumers see"),
        ("laurel watch dead-letters --from-beginning", "what was refused, and why"),
    ]
    return Group(heading("where to look next"), _commands(lines), heading("Ctrl-C ends it all."))


def afterwards() -> RenderableType:
    """Where to go from a demo that has ended."""
    lines = [
        ("laurel demo --stay", "the same, and keep the broker to explore"),
        ("laurel up", "a broker; then topics apply, worker, replay FILE --close"),
        ("laurel --help", "everything else; docs/architecture.md says how it works"),
    ]
    return Group(heading("where to look next"), _commands(lines))


def _leaders(found: Outcome) -> RenderableType:
    table = grid("right", "left", "right", "right", "left")
    most = max((update["score"] for days in found.history.values() for update in days), default=0.0)
    for rank, leader in enumerate(found.leaders, 1):
        days = found.history[leader["person"]]
        line = sparkline(
            [update["day"] for update in days],
            [update["score"] for update in days],
            found.source.first,
            found.source.last,
            LINE,
            most,
        )
        score = Text(points(leader["score"]), style="bold cyan")
        table.add_row(str(rank), plain(leader["person"]), score, change_of(leader), Text(line, style="cyan"))
    note = f"score on {iso(found.closed['day'])}, since the day before, every day until then"
    return Group(heading("who leads", note), table)


def _topics(found: Outcome) -> RenderableType:
    if not found.boards:
        return heading("topics and sashes", "none: the events of this data set name no topics")
    table = grid("left", "right", "left", "right", "right", "right", names=0)
    names = ("topic", "people", "first influencer", "gold", "blue", "both")
    table.add_row(*(Text(name, style="dim") for name in names))
    for board in found.boards:
        counts: Mapping[str, int] = found.sashes.get(board.topic, {})
        worn = (
            Text(str(counts.get(sash, 0)), style=style)
            for sash, style in (("gold", GOLD), ("blue", BLUE), ("blue_and_gold", BOTH))
        )
        table.add_row(plain(board.topic), str(board.influencers), plain(board.leader), *worn)
    wearers = sum(sum(counts.values()) for counts in found.sashes.values())
    return Group(heading("topics and sashes", f"{wearers:,} sashes worn in {len(found.sashes):,} topics"), table)


def _histogram(found: Outcome) -> RenderableType:
    width, height = CHART
    people = np.asarray(found.closed["histogram"], np.int64).reshape(width, -1).sum(axis=1)
    lines = columns(people.tolist(), height)
    chart = Text("\n".join(f"  {line}" for line in lines), style="cyan")
    at = min(int(found.closed["mean"] * width / 100), width - 1)
    axis = "".join(f"{mark:<10}" for mark in (1, 20, 40, 60, 80)) + "100"
    chart.append(f"\n  {axis}", style="not cyan dim").append(
        f"\n  {' ' * at}▲ mean {found.closed['mean']:.2f}", style="bold"
    )
    note = f"people by score; the highest column is {int(people.max(initial=0)):,} of {found.closed['people']:,}"
    return Group(heading("the scale", note), chart)


def _accounts(found: Outcome) -> RenderableType:
    summary = found.summary
    table = grid("right", "left")
    read, made = summary.rows, summary.published + summary.outside
    table.add_row(f"{read:,}", "events in the file")
    if summary.rejected:
        table.add_row(f"{-summary.rejected:+,}", "lines that are no event")
    if made != read - summary.rejected:
        table.add_row(f"{made - read + summary.rejected:+,}", MORE.get(found.source.name, "some give several"))
    if summary.outside:
        table.add_row(f"{-summary.outside:+,}", "after the days asked for")
    table.add_row(
        Text(f"{summary.published:,}", style="bold"), Text("published, every delivery verified", style="bold")
    )
    for name, count in found.weighed.most_common():
        if count:
            table.add_row(f"{count:,}", f"{BECAME.get(name, name)}")
    for reason, count in found.refused.most_common():
        table.add_row(f"{count:,}", Text(f"refused: {REASONS.get(reason, plain(reason))}", style="yellow"))
    verdict, style = ("left over", "bold green") if not found.lost else ("UNACCOUNTED FOR", "bold red")
    table.add_row(Text(f"{found.lost:,}", style=style), Text(verdict, style=style))
    return Group(
        heading("every event accounted for, to the last one" if not found.lost else "events are missing"), table
    )


def _commands(lines: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for command, note in lines:
        table.add_row(Text(f"  {command}", style="cyan"), Text(note, style="dim"))
    return table


def as_data(outcomes: Sequence[Outcome], seconds: float) -> Mapping[str, object]:
    """The demo's results as JSON holds them."""
    return {"seconds": round(seconds, 1), "data_sets": [_data(found) for found in outcomes]}


def _data(found: Outcome) -> Mapping[str, object]:
    summary = found.summary
    return {
        "name": found.source.name,
        "synthetic": found.source.name == "synthetic",
        "first_day": iso(found.source.first),
        "last_day": iso(found.source.last),
        "days_closed": len(summary.days_closed),
        "rows": summary.rows,
        "rejected": summary.rejected,
        "outside": summary.outside,
        "published": summary.published,
        "weighed": dict(found.weighed),
        "refused": dict(found.refused),
        "lost": found.lost,
        "people": found.closed["people"],
        "mean": found.closed["mean"],
        "leaders": [{"rank": rank, **leader} for rank, leader in enumerate(found.leaders, 1)],
        "topics": [
            {"topic": board.topic, "leader": board.leader, "influencers": board.influencers} for board in found.boards
        ],
        "sashes": sum(sum(counts.values()) for counts in found.sashes.values()),
        "replay_seconds": round(summary.seconds, 2),
        "events_per_second": round(summary.rate, 1),
        "seconds": round(found.seconds, 2),
    }

"""Kills and stops workers and the broker while days are sent, and holds all that was published against the oracle.

    python -m tests.soak --seed 1 --kills 10 --broker-kills 2 --minutes 3

The seed decides what is sent and what goes wrong when. Rounds are added, with the seeds that follow, until the minutes are
over. Exit status 1 if anything is wrong; logs and state are kept then.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from laurel.cli.show import console
from tests.soak.course import Course
from tests.soak.round import Figures, soak
from tests.soak.schedule import BROKER, FREEZE, JOIN, KILL, LEAVE, WIPE, plan

SIZE = 3_000  # records a day


def main() -> int:
    logging.getLogger("laurel").setLevel(logging.ERROR)  # that Kafka is away is no news here
    options = _options()
    zombies = options.kills // 7 + 1 if options.zombies is None else options.zombies
    moves = 2 * (options.kills // 7 + 1) if options.moves is None else options.moves
    what = plan(options.kills, options.broker_kills, zombies, moves)
    figures, out = Figures(), console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        while not figures.seeds or figures.seconds < options.minutes * 60:
            seed = options.seed + len(figures.seeds)
            task = bar.add_task(f"seed {seed}", total=what.days, facts="")

            def show(course: Course, task=task) -> None:
                bar.update(
                    task, completed=course.closed, facts=f"{course.events:,} records, {course.closed} days closed"
                )

            folder = Path(tempfile.mkdtemp(prefix="laurel-soak-"))
            bar.console.print(f"seed {seed}: {what.days} days, in {folder}", soft_wrap=True)
            try:
                figures.add(soak(seed, what, SIZE, folder, lambda line: bar.console.print(line, soft_wrap=True), show))
            except AssertionError as error:
                bar.console.print(f"seed {seed} has gone wrong, see {folder}:\n{error}", style="red", soft_wrap=True)
                return 1
            bar.remove_task(task)
    console().print(_table(figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10, help="of workers in a round, a quarter with their state")
    parser.add_argument("--broker-kills", type=int, default=2, help="in a round")
    parser.add_argument("--zombies", type=int, help="workers stopped for longer than their session, in a round")
    parser.add_argument("--moves", type=int, help="workers joining or leaving, in a round")
    parser.add_argument("--minutes", type=float, default=0, help="rounds are added until they are over")
    return parser.parse_args()


def _table(figures: Figures) -> Table:
    table = Table("", "", show_header=False, box=None)
    done = figures.done
    rows: dict[str, str] = {
        "seeds": ", ".join(map(str, figures.seeds)),
        "workers killed": f"{done[KILL] + done[WIPE]:,}, {done[WIPE]:,} of them with their state",
        "broker killed": f"{done[BROKER]:,}",
        "workers stopped for too long": f"{done[FREEZE]:,}",
        "workers that joined, left": f"{done[JOIN]:,}, {done[LEAVE]:,}",
        "workers started": f"{figures.started:,}",
        "writers fenced": f"{figures.fenced:,}",
        "records sent": f"{figures.events:,}",
        "days closed": f"{figures.days:,}",
        **{f"{topic} compared": f"{count:,}" for topic, count in sorted(figures.compared.items())},
        "differences": "0",
        "most memory of a worker": f"{figures.peak / (1 << 20):,.0f} MiB",
        "seconds": f"{figures.seconds:,.0f}",
    }
    for row in rows.items():
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())

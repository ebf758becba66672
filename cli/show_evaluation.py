"""An evaluation as a table, as JSON, and as a picture."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from laurel.ingest.errors import DataError
from laurel.ingest.evaluate import METRICS, Evaluation
from laurel.models.baselines import H_INDEX

TITLES = {
    "ndcg_log": "NDCG@{k}, log",
    "ndcg": "NDCG@{k}",
    "spearman": "Spearman",
    "precision": "precision@{k}",
}
OWN, OTHER = "#b8860b", "#8899aa"  # colours of the model and of what it is held against


def table(found: Evaluation) -> Group:
    """Means over the periods, the best of each column in bold, best ranking first."""
    means = found.means()
    best = {metric: max((_known(row[metric]) for row in means.values()), default=0.0) for metric in METRICS}
    grid = Table(box=None, pad_edge=False)
    grid.add_column("ranked by", no_wrap=True)
    for metric in METRICS:
        grid.add_column(TITLES[metric].format(k=found.k), justify="right")
    for name, row in sorted(means.items(), key=lambda item: -_known(item[1]["ndcg_log"])):
        cells = [
            Text("-" if value is None else f"{value:.3f}", "bold" if _known(value) == best[metric] else "")
            for metric, value in row.items()
        ]
        grid.add_row(Text(name, "yellow" if name in found.models else ""), *cells)
    first, last = found.periods[0], found.periods[-1]
    lines = [
        f"{found.counted:,} of {found.engagements:,} engagements are reactions that count, {found.accounts:,} accounts",
        f"ranked at the end of {len(found.periods)} {found.every}s from {_moment(first.begins)} to {_moment(last.begins)}",
        f"judged by the reactions n of the {found.every} after each: gain n, and log2(1 + n)",
    ]
    if H_INDEX not in means:
        lines.append(f"{H_INDEX}: not applicable, no engagement names the post it is about")
    if found.rejected:
        lines.append(f"{found.rejected:,} rows are no engagements and were left out")
    return Group(grid, *(Text(line, "dim") for line in lines))


def as_data(found: Evaluation) -> dict[str, Any]:
    """All of it as JSON holds it."""
    means = found.means()
    return {
        "every": str(found.every),
        "k": found.k,
        "models": found.models,
        "engagements": found.engagements,
        "rejected": found.rejected,
        "reactions": found.counted,
        "accounts": found.accounts,
        "not_applicable": [] if H_INDEX in means else [H_INDEX],
        "mean": means,
        "periods": [
            {"begins": _moment(period.begins), "next_reactions": period.reactions, "figures": period.figures}
            for period in found.periods
        ],
    }


def plot(found: Evaluation, path: Path) -> None:
    """Draws each ranking's mean NDCG as a bar; DataError if there is nothing to draw with, or the file can't be written."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 (optional, and slow to load)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise DataError("--plot draws with matplotlib, which is not there: pip install 'matplotlib>=3.10'") from None
    rows = sorted(found.means().items(), key=lambda item: _known(item[1]["ndcg_log"]))
    names = [name for name, _ in rows]
    values = [_known(row["ndcg_log"]) for _, row in rows]
    figure = Figure(figsize=(8, 0.6 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, values, color=[OWN if name in found.models else OTHER for name in names])
    for at, value in enumerate(values):
        axes.text(value, at, f" {value:.3f}", va="center", fontsize=8)
    axes.set_xlabel(f"NDCG@{found.k} of the next {found.every}'s reactions, gain log2(1 + n)")
    axes.set_xlim(0, 1)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "laurel"}):  # the same figures, the same file
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror or error}") from None


def _known(value: float | None) -> float:
    return -1.0 if value is None else value


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")

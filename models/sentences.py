"""What a member reads about a score, in plain words: how it moved, why, and what brings the most of it.

Numbers are in tenths of a point, and a sentence is looked up by its number: nothing is written for one person at a time.
What is told of a change adds up to the difference of the two scores as they are shown. Sentences say what happened, never whose fault it is.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.change import PARTS, Change
from laurel.models.contributions import BASE, Contributions

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST = 5  # sentences for a person
SPAN = 990  # tenths between the lowest and the highest score
NOISE = 1e-9  # points: what floats leave of a part that is nothing

# What a part is told by if it is above 0, and if it is below.
WORDS = {
    "reactions": ("New reactions bring {}.", "Reactions that were taken back take {}."),
    "fading": ("Earlier reactions bring {} more.", "Earlier reactions are a little older and bring {} less."),
    "posts": (
        "Your posts of some time ago are weighed less against your reactions: that brings {}.",
        "Your posts of late still wait for their reactions: that takes {} for now.",
    ),
    "networks": ("The accounts you linked bring {}.", "Without the accounts that were unlinked it is {} less."),
    "calibration": (
        "The scale moved for everybody: that brings {}.",
        "The scale moved for everybody: that takes {}.",
    ),
    "model": ("A new version of the score brings {}.", "A new version of the score takes {}."),
}

NETWORK_NAMES = {
    "facebook_pages": "Facebook Pages",
    "github": "GitHub",
    "google_plus": "Google+",
    "linkedin": "LinkedIn",
    "stackexchange": "Stack Exchange",
    "youtube": "YouTube",
}
SEVERAL = {"done": "Tips followed", "plus_one": "+1s", "todo": "Tips put on lists"}


def tenths(points: Float) -> Int:
    """Points as whole tenths, halves upwards: what differs by a tenth or more is never shown as the same."""
    return np.floor(points * 10 + 0.5).astype(np.int64)


def shares(change: Change, total: Int) -> Int:
    """The parts of n changes in tenths, int64[parts, n], that add up to `total` int64[n] tenths.

    Each is the part rounded up or down, those up that were nearest to it; what is nothing stays 0.
    """
    exact = np.array([getattr(change, part) for part in PARTS]) * 10
    exact[np.abs(exact) < NOISE] = 0.0
    low = np.floor(exact)
    rest = exact - low
    missing = total - low.sum(axis=0).astype(np.int64)
    order = np.lexsort((-np.abs(exact), -rest), axis=0)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(len(PARTS))[:, None], order.shape), axis=0)
    # Where every part is whole and one is too many, the largest gives it up.
    too_many = (missing < 0) & (np.argmax(np.abs(exact), axis=0) == np.arange(len(PARTS))[:, None])
    whole: Int = low.astype(np.int64) + (rank < missing) - too_many
    return whole


def sentences(
    scores: Float,
    previous: Float,
    had_previous: Flags,
    change: Change,
    made_of: Contributions,
    networks: Sequence[str],
    actions: Sequence[str],
) -> pa.ListArray:
    """At most five sentences for each of n people, list<string>[n]: how the score moved, why, the largest part first, and
    then what brings the most of it. `previous` float64[n] and `change` count where `had_previous` bool[n] holds; `networks` and `actions` name the
    codes of `made_of`."""
    n, now = len(scores), tenths(scores)
    moved = np.where(had_previous, now - tenths(previous), 0)
    parts = np.where(had_previous, shares(change, now - tenths(previous)), 0)
    begin, end = _heads()
    ends = np.where(had_previous, moved + SPAN, 2 * SPAN + 1)
    first = pc.binary_join_element_wise(begin.take(pa.array(now)), end.take(pa.array(ends)), "")

    order = np.lexsort((np.broadcast_to(np.arange(len(PARTS))[:, None], parts.shape), -np.abs(parts)), axis=0)
    order = order[: MOST - 1]
    chosen = np.take_along_axis(parts, order, axis=0)
    reasons = _reasons().take(pa.array((order * (2 * SPAN + 1) + chosen + SPAN).ravel()))
    most, brings = _largest(made_of, networks, actions)

    # All that there is to say, a column a place; what is wanted of it goes row by row into the list.
    wanted = np.concatenate((np.ones((1, n), np.bool_), chosen != 0, brings[None, :]))
    wanted[-1] &= wanted.sum(axis=0) <= MOST
    everything = pa.concat_arrays([first, reasons, most])
    person, place = np.nonzero(wanted.T)
    offsets = np.concatenate(([0], np.cumsum(wanted.sum(axis=0))))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), everything.take(pa.array(place * n + person)))


def _largest(made_of: Contributions, networks: Sequence[str], actions: Sequence[str]) -> tuple[pa.StringArray, Flags]:
    """What brings the most of each score in words, string[n], and where there is any such thing, bool[n]."""
    n = len(made_of.offsets) - 1
    owner = np.repeat(np.arange(n), np.diff(made_of.offsets))
    own = made_of.code != BASE
    owner, code, points = owner[own], made_of.code[own], made_of.points[own]
    begin = np.flatnonzero(ragged.starts(owner))
    most = np.maximum.reduceat(points, begin) if len(begin) else points
    equal = np.flatnonzero(points == np.repeat(most, np.diff(np.append(begin, len(owner)))))
    heads = equal[ragged.starts(owner[equal])]  # of equal ones, the first of the table
    which, amount = np.zeros(n, np.int64), np.zeros(n, np.int64)
    which[owner[heads]], amount[owner[heads]] = code[heads], tenths(points[heads])
    words = pc.binary_join_element_wise(
        _names(tuple(networks), tuple(actions)).take(pa.array(which)),
        " bring the most of it: ",
        _amounts().take(pa.array(amount)),
        ".",
        "",
    )
    return words, amount > 0


@lru_cache(maxsize=1)
def _names(networks: tuple[str, ...], actions: tuple[str, ...]) -> pa.StringArray:
    """Actions on networks as one speaks of them, in the order of the table."""
    return pa.array([_named(*both) for both in zip(networks, actions, strict=True)], pa.string())


@lru_cache(maxsize=1)
def _amounts() -> pa.StringArray:
    """0 to 100 points in words, by tenths."""
    return pa.array([_points(value) for value in range(SPAN + 11)], pa.string())


@lru_cache(maxsize=1)
def _heads() -> tuple[pa.StringArray, pa.StringArray]:
    """How the first sentence begins, by the score's tenths, and how it ends, by the tenths it moved plus SPAN; the last end
    is for who had none."""
    begin = [f"Your score is {value // 10}.{value % 10}" for value in range(SPAN + 11)]
    down = [f", down {_points(value)} from the day before." for value in range(SPAN, 0, -1)]
    up = [f", up {_points(value)} from the day before." for value in range(1, SPAN + 1)]
    ends = [*down, ", the same as the day before.", *up, "; there was none the day before."]
    return pa.array(begin, pa.string()), pa.array(ends, pa.string())


@lru_cache(maxsize=1)
def _reasons() -> pa.StringArray:
    """A sentence for each part and number, in the order of PARTS, then by tenths from -SPAN to SPAN."""
    return pa.array(
        [WORDS[part][value < 0].format(_points(abs(value))) for part in PARTS for value in range(-SPAN, SPAN + 1)],
        pa.string(),
    )


def _points(value: int) -> str:
    number = f"{value // 10}.{value % 10}".removesuffix(".0")
    return f"{number} point{'' if value == 10 else 's'}"


def _named(network: str, action: str) -> str:
    """An action on a network as one speaks of it: Retweets on Twitter."""
    return f"{SEVERAL.get(action) or _several(action)} on {NETWORK_NAMES.get(network) or _spoken(network)}"


def _several(action: str) -> str:
    word = _spoken(action)
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def _spoken(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]

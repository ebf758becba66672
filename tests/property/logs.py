"""Random engagements: small logs for Hypothesis, and whole populations shaped as real ones are."""

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from tests.property.pure import CODES, Float, Int, Log, posts

ACTIONS = ("twitter/retweet", "twitter/mention", "twitter/like", "facebook/comment", "youtube/view")
POSTS = ("twitter/post", "facebook/post")

Row = tuple[int, int, str, int]


def logs(accounts: int, days: int, most: int = 40, kinds: tuple[str, ...] = ACTIONS + POSTS) -> st.SearchStrategy[Log]:
    """Up to `most` engagements in order of day, among accounts 0..accounts - 1; nobody engages themselves but by posting."""
    account, others = st.integers(0, accounts - 1), st.integers(1, accounts - 1)
    return st.lists(st.tuples(account, others, st.sampled_from(kinds), st.integers(0, days - 1)), max_size=most).map(
        lambda rows: _log(sorted(rows, key=lambda row: row[3]), accounts)
    )


def _log(rows: list[Row], accounts: int) -> Log:
    actor = np.array([row[0] for row in rows], np.int64)
    other = np.array([0 if row[2].endswith("/post") else row[1] for row in rows], np.int64)
    return Log(
        actor,
        (actor + other) % accounts,
        np.array([CODES[row[2]] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.int64),
    )


def _zipf(exponent: float) -> Callable[[np.random.Generator, int], Float]:
    return lambda rng, people: rng.permutation(np.arange(1.0, people + 1.0) ** -exponent)


# How the reactions of a day fall on people: the share of each, not yet adding up to 1.
SHAPES: dict[str, Callable[[np.random.Generator, int], Float]] = {
    "everybody alike": lambda rng, people: np.ones(people),
    "zipf 0.8": _zipf(0.8),
    "zipf 1": _zipf(1.0),
    "zipf 1.5": _zipf(1.5),
    "log-normal": lambda rng, people: rng.lognormal(0.0, 2.0, people),
    "three hubs": lambda rng, people: np.concatenate((np.full(3, people / 1.0), np.ones(people - 3))),
    "half only post": lambda rng, people: np.repeat([1.0, 0.0], [people - people // 2, people // 2]),
}


def population(shape: str, seed: int, people: int, sizes: Int) -> Log:
    """A log of `sizes[day]` engagements each day (int64[days]), falling on people by a shape.

    Everybody somebody acts on posts on day 0, and so do those whom the shape leaves without any share.
    """
    rng = np.random.default_rng(seed)
    shares = SHAPES[shape](rng, people)
    day = np.repeat(np.arange(len(sizes)), sizes)
    target = rng.choice(people, len(day), p=shares / shares.sum())
    actor = (target + rng.integers(1, people, len(day))) % people
    code = rng.choice([CODES["twitter/retweet"], CODES["twitter/like"], CODES["twitter/reply"]], len(day))
    authors = np.union1d(target[day == 0], np.flatnonzero(shares == 0))
    return posts(authors, 1) + Log(actor, target, code, day)

"""What a model of influence is held against: the simple ways to rank accounts by the reactions they got."""

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.pagerank import pagerank
from laurel.models.refusals import DAY

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]

HALF_LIVES = {"30 d": 30.0, "7 d": 7.0, "1 d": 1.0, "12 h": 0.5}  # days
H_INDEX = "h-index of posts"
_ACTOR = 32  # bits that a target takes in an edge's key


class Baselines:
    """Counts of reactions by target, kept up to date period by period; memory grows with pairs and posts."""

    def __init__(self) -> None:
        self._total, self._last = np.zeros(0), np.zeros(0)
        self._decayed = {name: np.zeros(0) for name in HALF_LIVES}
        self._until = 0  # what the decayed counts are as of, milliseconds
        self._edges, self._acts = np.zeros(0, np.int64), np.zeros(0)
        self._posts, self._reactions = np.zeros(0, np.int64), np.zeros(0)  # whose, and how many, by post

    def take(self, actor: Int, target: Int, post: Int, at: Int, count: Int, accounts: int, until: int) -> None:
        """Adds m reactions of the period that ends at `until` (milliseconds): int64[m] each, accounts by number.

        `actor` and `post` are below 0 where none is named, `at` is milliseconds, `count` 1, or -1 for one taken back.
        """
        self._last = np.bincount(target, count, accounts).astype(np.float64)
        self._total = _grown(self._total, accounts) + self._last
        for name, days in HALF_LIVES.items():
            new = np.bincount(target, count * np.exp2(-(until - at) / (days * DAY)), accounts)
            self._decayed[name] = (
                _grown(self._decayed[name], accounts) * 2.0 ** (-(until - self._until) / (days * DAY)) + new
            )
        self._until = until
        named = actor >= 0
        edges = np.concatenate((self._edges, (actor[named] << _ACTOR) | target[named]))
        self._edges, place = np.unique(edges, return_inverse=True)
        self._acts = np.bincount(place, np.concatenate((self._acts, count[named])), len(self._edges)).astype(np.float64)
        of_post = post >= 0
        if of_post.any():
            posts = max(len(self._posts), int(post.max()) + 1)
            self._reactions = _grown(self._reactions, posts) + np.bincount(post[of_post], count[of_post], posts)
            self._posts = _grown(self._posts, posts).astype(np.int64)
            self._posts[post[of_post]] = target[of_post]

    def rankings(self) -> dict[str, Float]:
        """What each baseline ranks the accounts by, float64[accounts], at the end of the last period taken.

        The h-index is only there once a reaction has named a post.
        """
        accounts, some = len(self._total), self._acts > 0
        actor, target = self._edges[some] >> _ACTOR, self._edges[some] & ((1 << _ACTOR) - 1)
        found = {"count": self._total}
        found |= {f"count, half-life {name}": values for name, values in self._decayed.items()}
        found["count of the last period"] = self._last
        found["distinct engagers"] = np.bincount(target, minlength=accounts).astype(np.float64)
        found["weighted PageRank"] = pagerank(actor, target, self._acts[some], accounts)
        if len(self._posts):
            found[H_INDEX] = h_index(self._posts, self._reactions, accounts)
        return found


def h_index(owner: Int, reactions: Float, accounts: int) -> Float:
    """The most h such that h posts of an account have h reactions each (Hirsch, 2005), float64[accounts].

    `owner` int64[m] and `reactions` float64[m] are of posts.
    """
    order = np.lexsort((-reactions, owner))
    owner, reactions = owner[order], reactions[order]
    place = ragged.ordinals(ragged.starts(owner)) + 1
    return np.bincount(owner[reactions >= place], minlength=accounts).astype(np.float64)


def _grown(values: npt.NDArray[np.generic], size: int) -> Float:
    return np.concatenate((values, np.zeros(size - len(values))))

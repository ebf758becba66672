"""The three classic parts of a score: true reach, amplification, network influence."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.fade import FADE_UNIT
from laurel.models.ragged import Int, Ragged
from laurel.models.reach import Reach, mean_points

Float = npt.NDArray[np.float64]

SCHEMA = (
    pa.field("people", pa.int64()),
    pa.field("people_points", pa.int64()),
    pa.field("reactions", pa.float64()),
    pa.field("posts", pa.float64()),
)


@dataclass(frozen=True)
class Classic:
    """What those of n scores are made of: `people` reached and the `people_points` that these had earned, int64[n]; faded
    `reactions` and `posts`, float64[n]."""

    people: Int
    people_points: Int
    reactions: Float
    posts: Float

    def take(self, rows: Int) -> "Classic":
        """Only some of them (int64[k]), in the order given."""
        return Classic(*(getattr(self, field.name)[rows] for field in fields(self)))

    def columns(self) -> dict[str, pa.Array]:
        """Columns of SCHEMA, and of a PersonPart."""
        return {field.name: pa.array(getattr(self, field.name), field.type) for field in SCHEMA}

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch) -> "Classic":
        """The inverse of `columns`."""
        return cls(*(batch.column(field.name).to_numpy() for field in SCHEMA))

    def parts(self) -> dict[str, pa.Array]:
        """The columns of a ScoreUpdate that tell them."""
        posting = self.posts > 0
        per_post = np.divide(np.maximum(self.reactions, 0.0), self.posts, out=np.zeros(len(posting)), where=posting)
        influence = mean_points(self.people, self.people_points)
        return {
            "true_reach": pa.array(self.people),
            "amplification": pa.array(per_post, mask=~posting),
            "network_influence": pa.array(influence, mask=self.people == 0),
        }


def nothing(accounts: int) -> Classic:
    """Those of accounts to which nothing ever happened."""
    return Classic(*np.zeros((2, accounts), np.int64), *np.zeros((2, accounts)))


def classic(reach: Reach, presences: Ragged) -> Classic:
    """Those of accounts, of their reach and of their presences (standing.PRESENCE) on networks."""
    owners, n = presences.owners, len(reach.people)
    reactions, posts = (np.bincount(owners, presences.rows[name], n) / FADE_UNIT for name in ("reactions", "posts"))
    return Classic(reach.people, reach.points, reactions, posts)

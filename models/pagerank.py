"""Weighted PageRank (Brin and Page, 1998): whose followers' followers act on whom, in one number an account."""

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]

DAMPING = 0.85
ENOUGH = 1e-9  # change of all ranks together at which it has settled
ROUNDS = 200  # at most


def pagerank(source: Int, target: Int, weight: Float, nodes: int) -> Float:
    """Rank of each node, float64[nodes], summing to 1.

    `source`, `target` int64[m] are edges, `weight` float64[m] above 0 is how much of its source's rank each passes on, in
    proportion. Who passes nothing on passes it to everybody.
    """
    if not nodes:
        return np.zeros(0)
    out = np.bincount(source, weight, nodes)
    share = weight / out[source]
    rank = np.full(nodes, 1.0 / nodes)
    for _ in range(ROUNDS):
        lost = float(rank[out == 0].sum())
        after = DAMPING * (np.bincount(target, rank[source] * share, nodes) + lost / nodes) + (1 - DAMPING) / nodes
        moved = float(np.abs(after - rank).sum())
        rank = after
        if moved < ENOUGH:
            break
    return rank

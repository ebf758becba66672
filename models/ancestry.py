"""Who is above whom in a directed acyclic graph: all ancestors of every node, computed once.

A graph is n nodes and m edges, `child` and `parent`, int64[m] of 0..n - 1 each.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """For each of n nodes a run of others, ascending, each once: node i has `nodes[offsets[i]:offsets[i + 1]]`, int64."""

    offsets: Int
    nodes: Int

    def of(self, node: int) -> Int:
        """The run of one node."""
        return self.nodes[self.offsets[node] : self.offsets[node + 1]]

    def spread(self, of: Int) -> tuple[Int, Int]:
        """The runs of k nodes (int64[k]), one after the other: which of the k each belongs to, and the nodes, int64[r] both."""
        begins = self.offsets[of]
        counts = self.offsets[of + 1] - begins
        owner = np.repeat(np.arange(len(of)), counts)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return owner, self.nodes[begins[owner] + within]


def runs(nodes: int, owner: Int, other: Int) -> Runs:
    """Pairs (int64[m] both, in any order, repeats allowed) as runs of the owners."""
    keys = np.unique(owner * np.int64(nodes) + other)
    owners, others = np.divmod(keys, np.int64(max(nodes, 1)))
    return Runs(np.searchsorted(owners, np.arange(nodes + 1)), others)


def ancestors(nodes: int, child: Int, parent: Int) -> Runs:
    """All nodes above each one, itself not among them (unless there is a cycle), however many paths lead there."""
    parents = runs(nodes, child, parent)
    found = fresh = np.unique(child * np.int64(nodes) + parent)
    while len(fresh):  # once for each generation: those who are new bring their parents
        below, above = np.divmod(fresh, np.int64(nodes))
        owner, further = parents.spread(above)
        fresh = np.setdiff1d(below[owner] * nodes + further, found)
        found = np.union1d(found, fresh)
    owners, above = np.divmod(found, np.int64(max(nodes, 1)))
    return Runs(np.searchsorted(owners, np.arange(nodes + 1)), above)


def cycle(nodes: int, child: Int, parent: Int) -> list[int]:
    """Some nodes of which each has the next as a parent, and the last one the first; none if the graph has no cycle."""
    parents, children = runs(nodes, child, parent), runs(nodes, parent, child)
    waiting = np.diff(parents.offsets)  # parents of each that aren't known to be free of cycles
    done = np.flatnonzero(waiting == 0)
    while len(done):
        _, below = children.spread(done)
        freed, times = np.unique(below, return_counts=True)
        waiting[freed] -= times
        done = freed[waiting[freed] == 0]
    bound = waiting > 0
    if not bound.any():
        return []
    path = [int(np.flatnonzero(bound)[0])]
    seen = {path[0]: 0}
    while True:  # each that is left has a parent that is left, so upwards the way comes back to where it was
        above = parents.of(path[-1])
        step = int(above[bound[above]][0])
        if step in seen:
            return path[seen[step] :]
        seen[step] = len(path)
        path.append(step)

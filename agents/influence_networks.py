"""Influence networks: what is published at a close of whom accounts are tied to.

The targets stage knows who acts on its accounts (whom they influence), the actors stage whom they act on (who influences them). Each publishes
what it knows: two records a person, one for each direction, so that neither waits for the other. Lists of linked accounts go to the persons
stage, which brings a member's together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.context import Context
from laurel.agents.links import Link
from laurel.agents.optouts import OptOuts
from laurel.agents.ties import read
from laurel.models import ragged
from laurel.models.parameters import ScoreModel
from laurel.models.ties import SHOWN, Ties, differ, strongest
from laurel.streams.network_results import TOPIC, network_key
from laurel.streams.outbox import Output
from laurel.streams.store import TIES, Store

POINT = 1_000_000  # micro-points

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class InfluenceNetworks:
    """What is published of a partition's ties at the close of `day`, by its model; `before` are day and model of the close before, if there
    was one, `links` whom accounts are linked to, and `outs` who has opted out."""

    context: Context
    partition: int
    store: Store
    direction: str
    day: int
    model: ScoreModel
    before: tuple[int, ScoreModel] | None
    links: Mapping[bytes, Link]
    outs: OptOuts

    def __iter__(self) -> Iterator[Output]:
        """The lists that are not what they were at the close before: other accounts, or in another order, or some of them acted since; all
        lists of linked accounts, as parts of their members'.

        An empty list is told by a record without a value.
        """
        for accounts, values in self.store.scan(TIES):
            yield from self._of(accounts, read(values))

    def _of(self, accounts: list[bytes], ties: Ties) -> Iterator[Output]:
        hidden, was_hidden = self.outs.hides(ties, accounts)
        rows, strength = strongest(ties, self.day, self.model, hidden)
        old = np.empty(0, np.int64) if self.before is None else strongest(ties, *self.before, was_hidden)[0]
        changed, n = differ(ties, rows, old), len(accounts)
        lists = _Lists(ties, rows, strength, np.searchsorted(ties.rows.owners[rows], np.arange(n + 1)))
        links = [self.links.get(account) for account in accounts] if self.links else []
        if any(links):
            linked = np.array([link is not None and link.member is not None for link in links], np.bool_)
            relinked = np.array([link is not None and link.is_new(self.day) for link in links], np.bool_)
            told = np.bincount(ties.rows.owners[np.concatenate((rows, old))], minlength=n) > 0
            parts = [
                (at, link.member) for at, link in enumerate(links) if link and link.member is not None and told[at]
            ]
            # A member that an account has left may have nobody else's list to tell.
            left = [link.before for link in links if link and link.is_new(self.day) and link.before is not None]
            if parts or left:
                yield self._parts(accounts, lists, parts, left)
            emptied = np.flatnonzero(linked & relinked)
            if len(emptied):
                yield network_records(self.context, self.direction, self.day, self._names(accounts, emptied), None)
            changed = (changed | (relinked & told)) & ~linked
        some = np.flatnonzero(changed)
        if len(some):
            yield network_records(self.context, self.direction, self.day, self._names(accounts, some), lists.of(some))

    def _names(self, accounts: Sequence[bytes], some: Int) -> list[bytes]:
        return [accounts[at] for at in some.tolist()]

    def _parts(
        self, accounts: Sequence[bytes], lists: "_Lists", parts: Sequence[tuple[int, str]], left: Sequence[str]
    ) -> Output:
        """Lists of linked accounts, and empty ones of members that others have left, as PersonParts."""
        places = np.array([at for at, _ in parts], np.int64)
        persons = [*(member for _, member in parts), *left]
        n = len(persons)
        tied = pa.concat_arrays([lists.of(places), pa.array([[]] * len(left), lists.of(places[:0]).type)])
        zeros, none = pa.array(np.zeros(n)), pa.array(np.zeros(n, np.int64))
        batch = pa.RecordBatch.from_pydict(
            {
                **dict.fromkeys(("raw", "raw_before", "raw_faded", "raw_reacted", "raw_posted"), zeros),
                **dict.fromkeys(("reactions", "posts"), zeros),
                **dict.fromkeys(("people", "people_points", "young", "acts", "squares"), none),
                "daily": pa.array([[]] * n, pa.list_(pa.int64())),
                "person": pa.array(persons, pa.string()),
                "day": pa.array(np.full(n, self.day, np.int32)),
                "upstream": pa.array(np.full(n, self.partition, np.int32)),
                "account": pa.array([*self._names(accounts, places), *[b""] * len(left)], pa.binary()).cast(
                    pa.string()
                ),
                "present": pa.array(np.zeros(n, np.bool_)),
                "amounts": pa.array([[]] * n, self.context.codec.arrow("PersonPart").field("amounts").type),
                "shadow": pa.repeat(pa.scalar("", pa.string()), n),
                "direction": pa.repeat(pa.scalar(self.direction, pa.string()), n),
                "tied": tied,
            }
        )
        values = self.context.codec.encode("PersonPart", batch)
        return Output(self.context.topic("person-parts"), [person.encode() for person in persons], values)


@dataclass(frozen=True)
class _Lists:
    """The lists of some accounts: `rows` of `ties` with their strengths (micro-points); account i has those from begin[i] to begin[i + 1]."""

    ties: Ties
    rows: Int
    strength: Int
    begin: Int

    def of(self, some: Int) -> pa.ListArray:
        """The lists of some accounts (int64[k]), as an InfluenceNetwork has them."""
        counts = np.diff(self.begin)[some]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        at = np.arange(offsets[-1]) + np.repeat(self.begin[some] - offsets[:-1], counts)
        tied = _tied(self.ties.names.take(pa.array(self.rows[at])), self.strength[at] / POINT)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tied)


def network_records(
    context: Context, direction: str, day: int, persons: Sequence[bytes], lists: pa.ListArray | None
) -> Output:
    """The lists of some persons in one direction; a record without a value for an empty one, or for all if there are no `lists`."""
    full = np.zeros(len(persons), np.bool_) if lists is None else np.asarray(pc.list_value_length(lists)) > 0
    some = np.flatnonzero(full)
    values: list[bytes | None] = [None] * len(persons)
    if lists is not None and len(some):
        n = len(some)
        batch = pa.RecordBatch.from_pydict(
            {
                "person": pa.array([persons[at] for at in some.tolist()], pa.binary()).cast(pa.string()),
                "direction": pa.repeat(pa.scalar(direction, pa.string()), n),
                "day": pa.array(np.full(n, day, np.int32)),
                "accounts": lists.take(pa.array(some)),
            }
        )
        for at, value in zip(some.tolist(), context.codec.encode("InfluenceNetwork", batch), strict=True):
            values[at] = value
    return Output(context.topic(TOPIC), [network_key(direction, person) for person in persons], values)


def of_members(parts: pa.Table, accounts: pa.Table) -> tuple[list[bytes], pa.ListArray]:
    """Members and their lists, of `parts` (PersonParts with one direction's lists): what the same account's ties to a member's accounts add
    up to is added up; a member's own accounts (`accounts`: columns person and account) are left out."""
    person = parts.column("person").combine_chunks().dictionary_encode()
    tied = parts.column("tied").combine_chunks()
    owner = person.indices.to_numpy().astype(np.int64)[np.asarray(pc.list_parent_indices(tied)).astype(np.int64)]
    flat = pc.list_flatten(tied)
    name = pc.struct_field(flat, "account").dictionary_encode()
    micro = np.rint(np.nan_to_num(np.asarray(pc.struct_field(flat, "strength"))) * POINT).astype(np.int64)
    own = pc.binary_join_element_wise(accounts["person"], accounts["account"], "\n")
    pairs = pc.binary_join_element_wise(person.dictionary.take(pa.array(owner)), pc.struct_field(flat, "account"), "\n")
    kept = np.flatnonzero(~np.asarray(pc.is_in(pairs, value_set=own.combine_chunks())))
    owner, micro, code = owner[kept], micro[kept], name.indices.to_numpy().astype(np.int64)[kept]
    place = np.asarray(pc.rank(name.dictionary, sort_keys="ascending", tiebreaker="first")).astype(np.int64)
    order = np.lexsort((place[code], owner))
    owner, code, micro = owner[order], code[order], micro[order]
    heads = np.flatnonzero(ragged.starts(owner, code))
    sums = ragged.totals(micro, heads)
    owner, code = owner[heads], code[heads]
    order = np.lexsort((place[code], -sums, owner))
    rank = ragged.ordinals(ragged.starts(owner[order]))
    shown = order[rank < SHOWN]
    offsets = np.searchsorted(owner[shown], np.arange(len(person.dictionary) + 1))
    lists = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _tied(name.dictionary.take(pa.array(code[shown])), sums[shown] / POINT)
    )
    return person.dictionary.cast(pa.binary()).to_pylist(), lists


def _tied(accounts: pa.StringArray, strength: npt.NDArray[np.float64]) -> pa.StructArray:
    return pa.StructArray.from_arrays([accounts, pa.array(strength)], names=["account", "strength"])

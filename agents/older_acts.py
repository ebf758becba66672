"""The older acts of a batch's actors: read from the store when they may be asked for, and written when they change."""

from collections.abc import Sequence

import numpy as np

from laurel.agents.layouts import ACTS
from laurel.models import ragged
from laurel.models.archive import Blocks, changed, fetched, needed, spill
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import ACT, Acts, Voices
from laurel.streams.packing import States, pack, unpack
from laurel.streams.store import BLOCK, Store
from laurel.streams.store_errors import DamagedError
from laurel.streams.store_folder import condemn


class OlderActs:
    """Blocks of older acts, of the actors that one batch is about. `keys` and `values` are the changes to be stored."""

    def __init__(self, store: Store, accounts: Sequence[bytes]) -> None:
        """`accounts` are those that the voices belong to, in their order."""
        self._store, self._accounts = store, accounts
        self._blocks = Blocks(np.empty(0, np.int64), np.empty(0, np.int64))
        self._acts = ragged.empty(0, ACT)
        self.keys: list[bytes] = []
        self.values: list[bytes | None] = []

    def fetch(self, voices: Voices, acts: Acts) -> Voices:
        """The voices with the older acts that weighing these acts may need. DamagedError if the store lacks one."""
        self._blocks = needed(voices, acts)
        if not len(self._blocks):
            return voices
        keys = self._keys(self._blocks)
        values = self._store.get(keys)
        if None in values:
            condemn(self._store.path)
            raise DamagedError(
                f"the store in {self._store.path} lacks older acts that a state of it names: a worker that starts there begins it "
                "anew and restores it from its changelog"
            )
        self._acts = unpack(ACTS, values).sections["acts"]
        return fetched(voices, self._blocks, self._acts)

    def keep(self, voices: Voices, model: ScoreModel) -> Voices:
        """The voices without the acts that are old enough to be stored as blocks, and none of the fetched ones."""
        self._put(*changed(self._blocks, self._acts, voices))
        spilled = spill(voices, model)
        self._put(spilled.blocks, spilled.acts)
        dropped = self._keys(spilled.dropped)
        self.keys += dropped
        self.values += [None] * len(dropped)
        return spilled.voices

    def _put(self, blocks: Blocks, acts: Ragged) -> None:
        header = np.empty(len(blocks), ACTS.header)
        header["number"] = blocks.number
        self.keys += self._keys(blocks)
        self.values += pack(ACTS, States(header, {"acts": acts}))

    def _keys(self, blocks: Blocks) -> list[bytes]:
        pairs = zip(blocks.owner.tolist(), blocks.number.tolist(), strict=True)
        return [block_key(self._accounts[owner], number) for owner, number in pairs]


def block_key(account: bytes, number: int) -> bytes:
    """The full store key of an account's block."""
    return BLOCK + account + number.to_bytes(4, "big")

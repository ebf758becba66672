"""Quix Streams as its documentation has it: a stateful function, state in RocksDB with a changelog."""

import os
from typing import Any

from plain import add, began, decode
from quixstreams import Application, State
from quixstreams.models import Deserializer, SerializationContext


class Engagements(Deserializer):
    def __call__(self, value: bytes, ctx: SerializationContext) -> dict[str, Any]:
        return decode(value)


class Sums:
    def __init__(self) -> None:
        self.started = False

    def __call__(self, event: dict[str, Any], state: State) -> None:
        if not self.started:
            self.started = True
            began()
        state.set("sum", add(state.get("sum"), event["occurred_at"]))


def main() -> None:
    app = Application(
        os.environ["BENCH_BOOTSTRAP"],
        consumer_group=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        state_dir=os.environ["BENCH_STATE"],
        loglevel="WARNING",
    )
    topic = app.topic(os.environ["BENCH_TOPIC"], key_deserializer="str", value_deserializer=Engagements())
    app.dataframe(topic).update(Sums(), stateful=True)
    # After the last record it takes a checkpoint and ends: no time is counted in which it waits for its commit interval.
    app.run(count=int(os.environ["BENCH_EVENTS"]), collect=False)


if __name__ == "__main__":
    main()

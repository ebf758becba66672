"""Faust as its documentation has it: an agent, and a table kept in RocksDB with a changelog."""

import asyncio
import os

import faust
from plain import add, began, decode

EXPECTED = int(os.environ["BENCH_EVENTS"])

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP']}",
    store="rocksdb://",
    datadir=os.environ["BENCH_STATE"],
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
    topic_disable_leader=True,
    web_enabled=False,
)
engagements = app.topic(os.environ["BENCH_TOPIC"], value_type=bytes, value_serializer="raw")
sums = app.Table("sums", partitions=app.conf.topic_partitions)
ending: set[asyncio.Task[None]] = set()


@app.agent(engagements)
async def count(values: faust.Stream[bytes]) -> None:
    done = 0
    async for value in values:
        if not done:
            began()
        event = decode(value)
        sums[event["actor"]] = add(sums.get(event["actor"]), event["occurred_at"])
        done += 1
        if done == EXPECTED:
            ending.add(asyncio.create_task(commit()))


async def commit() -> None:
    """Commits at once, so that no time is counted in which Faust waits for its commit interval."""
    await asyncio.sleep(0)
    await app.consumer.commit()


if __name__ == "__main__":
    app.main()

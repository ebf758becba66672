"""A share of the fuzzed messages that `python -m tests.fuzz` sends by the million."""

from pathlib import Path

import pytest

from laurel.streams.settings import load
from tests.fuzz import fuzz
from tests.fuzzed import PARTITIONS, messages
from tests.integration.pipeline import Pipeline

EVENTS, SEED = 100_000, 20_240_502


@pytest.mark.slow
def test_no_message_stops_a_partition_and_what_is_refused_comes_back_byte_for_byte(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS), tmp_path) as pipeline:
        worker = pipeline.start()
        done = fuzz(pipeline, worker, SEED, EVENTS)
        assert done.refused > EVENTS * 0.8
        assert done.good > EVENTS * 0.08
        assert worker.stop() == 0


def test_a_seed_makes_the_same_messages_from_wherever_it_is_begun() -> None:
    whole = list(messages(5, 0, 3_000))
    assert list(messages(5, 1_000, 2_000)) == whole[1_000:2_000]
    assert list(messages(6, 1_000, 2_000)) != whole[1_000:2_000]

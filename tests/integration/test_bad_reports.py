"""What no partition reports, in the topic where the coordinator of closes listens."""

from pathlib import Path

import pytest

from laurel.streams.settings import load
from tests.integration.bad_records import CODEC, engagement, sent
from tests.integration.pipeline import Pipeline, eventually

REPORT = {"day": 19_844, "stage": "targets-raw", "partition": 0, "people": 1, "networks": [], "published": 0}


def impossible(**fields: object) -> bytes:
    return CODEC.encode_one("DayReport", REPORT | {"histogram": [1, 2]} | fields)


@pytest.mark.slow
def test_garbage_among_reports_is_dead_letters_once_and_days_close_all_the_same(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    before = [b"garbage", impossible(), impossible(stage="no-such"), impossible(stage="leaders", partition=7)]
    after = [b"", impossible(partition=-1), sent(engagement())[0][1]]
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.produce("day-reports", [(b"k", value) for value in before], partition=0)
        worker = pipeline.start()
        pipeline.produce("engagements", sent(engagement()))
        assert pipeline.close_day("2024-05-02")["people"] == 1
        pipeline.produce("day-reports", [(b"k", value) for value in after], partition=0)
        assert pipeline.close_day("2024-05-03")["people"] == 1
        eventually(lambda: len(pipeline.read("dead-letters")) >= len(before + after), what="all are refused")
        assert worker.stop() == 0
        again = pipeline.start()
        assert pipeline.close_day("2024-05-04")["people"] == 1
        assert again.stop() == 0
        assert sorted(letter.value or b"" for letter in pipeline.read("dead-letters")) == sorted(before + after)

"""Texts of engagements become topics where they come in, and go no further."""

from pathlib import Path
from typing import Any

from laurel.streams.codec import Codec
from laurel.streams.settings import load
from laurel.streams.topic_table import TOPICS
from tests.engagements import engagement
from tests.integration.pipeline import Pipeline

DAY = 19_700
SECRET = "zanzibarian"
CODEC = Codec()


def said(number: int, target: str, text: str, *topics: str, **other: Any) -> tuple[bytes, bytes]:
    event = engagement(number, DAY, "like", "twitter:fan", target, *topics) | {"text": text} | other
    return event["actor"].encode(), CODEC.encode_one("Engagement", event)


def test_topics_of_texts_lead_boards_can_be_taken_back_and_the_text_goes_no_further(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    taken_back = f"{SECRET} machine learning"
    with Pipeline(settings, tmp_path) as pipeline:
        worker = pipeline.start()
        pipeline.produce(
            "engagements",
            [
                said(1, "twitter:a", f"{SECRET} #golang and Rust", "Qubits", "our own"),
                said(2, "twitter:b", taken_back),
                said(3, "twitter:b", taken_back, retracts=f"e{DAY}-2"),
                said(4, "twitter:c", f"{SECRET} go rust"),
            ],
        )
        pipeline.close_day("2023-12-09")
        boards = {
            board["topic"]: [place["person"] for place in board["influencers"]]
            for board in pipeline.records("leaderboards", "Leaderboard")
        }
        assert worker.stop() == 0
        assert {topic: people for topic, people in boards.items() if people} == {
            topic: ["twitter:a"] for topic in ("qubit", "our own", "go-language", "rust")
        }
        assert pipeline.records("dead-letters", "DeadLetter") == []
        with_text = {
            topic.name
            for topic in TOPICS
            for record in pipeline.read(topic.name)
            if SECRET.encode() in (record.value or b"") + (record.key or b"")
        }
        assert with_text == {"engagements"}
        files = [path for path in pipeline.state().rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if SECRET.encode() in path.read_bytes()]

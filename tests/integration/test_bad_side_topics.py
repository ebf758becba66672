"""What can't be read in the topics that a stage looks things up in goes to the dead letters, and stops nobody."""

from pathlib import Path

from laurel.streams.settings import load
from tests.integration.bad_records import CODEC, engagement, sent
from tests.integration.pipeline import Pipeline, Record, eventually

GARBAGE = {b"garbage": "wrong_magic_byte", b"": "empty_value", b"\x00\x00\x00\x00\x05\xff": "malformed_avro"}


def score(value: float) -> bytes:
    return CODEC.encode_one("AccountScore", {"account": "twitter:1", "day": 1, "score": value})


def reasons(letters: list[Record], topic: str) -> dict[bytes | None, str]:
    """Reason by value, of the letters from a topic."""
    told = [(letter, {name: value for name, value in letter.headers if value is not None}) for letter in letters]
    return {
        letter.value: headers["__connect.errors.exception.class.name"].decode()
        for letter, headers in told
        if headers["__connect.errors.topic"].decode() == topic
    }


def test_garbage_among_profiles_and_scores_is_dead_letters_and_what_is_good_counts(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        worker = pipeline.start()
        profile = {"account": "twitter:a", "opted_out": False, "consented": False, "updated_at": 0}
        links = [CODEC.encode_one("Profile", profile | {"member": "ann"}), None]
        profiles = GARBAGE | {score(50.0): "unexpected_record"}
        scores = GARBAGE | dict.fromkeys(
            map(score, (float("nan"), float("inf"), 0.0, -1e308, 101.0)), "unexpected_record"
        )
        scores |= {links[0]: "unexpected_record"}  # type: ignore[dict-item]
        pipeline.produce("profiles", [(b"k%d" % at, value) for at, value in enumerate([*profiles, *links])])
        pipeline.produce("account-scores", [(b"k%d" % at, value) for at, value in enumerate([*scores, None])])
        events = [engagement(event_id=f"e{at}", actor=f"twitter:{at}", target="twitter:a") for at in range(3)]
        pipeline.produce("engagements", sent(*events))
        pipeline.close_day("2024-05-02")
        pipeline.close_day("2024-05-03")
        wanted = {"profiles": profiles, "account-scores": scores}
        letters = eventually(
            lambda: found if len(found := pipeline.read("dead-letters")) >= sum(map(len, wanted.values())) else []
        )
        assert len(letters) == sum(map(len, wanted.values()))
        for topic, values in wanted.items():
            assert reasons(letters, pipeline.settings.topic(topic)) == values
        days = {(row["person"], row["day"]) for row in pipeline.records("score-updates", "ScoreUpdate")}
        assert days == {("ann", 19_845), ("ann", 19_846)}
        assert worker.stop() == 0


def test_a_marker_that_names_profiles_that_never_were_waits_for_none_of_them(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        worker = pipeline.start()
        pipeline.produce("engagements", sent(engagement()))
        pipeline.close_day("2024-05-02")
        marker = {"day": 19_846, "upstream": -1, "upstream_offset": -1, "model": "v1", "profiles": [2**62, -5]}
        pipeline.produce("engagements", [(b"19846", CODEC.encode_one("DayMarker", marker))], partition=0)
        assert pipeline.close_day("2024-05-03")["status"] == "closed"
        assert pipeline.close_day("2024-05-04")["status"] == "closed"
        assert worker.stop() == 0

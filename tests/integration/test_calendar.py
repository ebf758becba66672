"""The calendar: days that were missed close in order, what was decided stays, and what doesn't belong there is kept elsewhere."""

import random

from laurel.streams.calendar import day_key, iso, requested
from laurel.streams.settings import load
from tests.integration.bad_records import DAY, engagement, sent
from tests.integration.pipeline import Pipeline, eventually

FIRST = 19_850  # days since 1970-01-01


def closed(pipeline: Pipeline) -> list[int]:
    """Days in the order in which they were closed."""
    return [record["day"] for record in pipeline.records("calendar", "Calendar") if record["status"] == "closed"]


def act(pipeline: Pipeline, day: int) -> None:
    event = engagement(event_id=str(day), actor="twitter:1", target=f"twitter:of-{day}", occurred_at=day * DAY)
    pipeline.produce("engagements", sent(event))


def test_days_missed_while_no_worker_ran_close_in_order(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        pipeline.close_day(iso(FIRST))
        worker.stop()
        for day in range(FIRST + 1, FIRST + 5):
            act(pipeline, day)
        told = pipeline.laurel("close-day", iso(FIRST + 2), "--no-wait")
        assert told.returncode == 0, told.stderr
        pipeline.start()
        decided = pipeline.close_day(iso(FIRST + 4))
        # Whoever asks once more marks again what isn't decided yet.
        assert decided["requested_days"][-2:] == [iso(FIRST + 3), iso(FIRST + 4)]
        assert set(decided["requested_days"]) <= {iso(day) for day in range(FIRST + 1, FIRST + 5)}
        assert closed(pipeline) == list(range(FIRST, FIRST + 5))
        of_day = {(row["person"], row["day"]) for row in pipeline.records("score-updates", "ScoreUpdate")}
        assert {(f"twitter:of-{day}", day) for day in range(FIRST + 1, FIRST + 5)} <= of_day


def test_what_does_not_belong_into_the_calendar_is_dead_letters_and_stops_nobody(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        encode = pipeline.codec.encode_one
        good = requested(FIRST, "v1")
        chance = random.Random(1)
        foreign = [
            (b"k", chance.randbytes(40), "wrong_magic_byte"),
            (b"k", b"\x00\x7f\xff\xff\xff1234", "unknown_schema_id"),
            (b"k", encode("Calendar", good)[:-1], "malformed_avro"),
            (b"k", encode("AccountScore", {"account": "twitter:1", "day": 1, "score": 2.0}), "unexpected_record"),
            (day_key(FIRST), encode("Calendar", good | {"status": "postponed"}), "unexpected_record"),
            (b"2000000000", encode("Calendar", good | {"day": 2_000_000_000}), "unexpected_record"),
            (b"-1", encode("Calendar", good | {"day": -1}), "unexpected_record"),
            (b"19000", encode("Calendar", good), "unexpected_record"),
        ]
        before, after = foreign[:4], foreign[4:]
        pipeline.produce("calendar", [(key, value) for key, value, _ in before])
        worker = pipeline.start()
        pipeline.produce("calendar", [(key, value) for key, value, _ in after] + [(day_key(FIRST + 9), None)])
        act(pipeline, FIRST)
        pipeline.close_day(iso(FIRST))
        eventually(lambda: worker.metric("laurel_dead_letters_total", stage="calendar") == len(foreign))
        letters = {}
        for letter in pipeline.read("dead-letters"):
            headers = {name.removeprefix("__connect.errors."): (text or b"").decode() for name, text in letter.headers}
            letters[headers["offset"]] = letter.key, letter.value, headers["exception.class.name"]
        assert sorted(letters.values()) == sorted(foreign)
        assert worker.log.read_text().count("is skipped") == len(foreign)
        assert closed(pipeline) == [FIRST]


def test_a_day_that_is_asked_for_after_it_was_closed_is_written_again_as_it_was(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        late = [(day_key(FIRST), pipeline.codec.encode_one("Calendar", requested(FIRST, "v1")))]
        newest = lambda: [r.value for r in pipeline.read("calendar") if r.key == day_key(FIRST)][-1]  # noqa: E731 (a name)
        worker = pipeline.start()
        act(pipeline, FIRST)
        pipeline.close_day(iso(FIRST))
        decided = newest()
        pipeline.produce("calendar", late)
        eventually(lambda: newest() == decided, what="it is mended while a worker runs")
        worker.stop()
        pipeline.produce("calendar", late)
        pipeline.start()
        eventually(lambda: newest() == decided, what="it is mended when one starts")
        assert pipeline.close_day(iso(FIRST))["status"] == "closed"

"""Workers with names of their own: their partitions wait for them, and a name belongs to one at a time."""

import pytest
from confluent_kafka.admin import AdminClient

from laurel.streams.settings import Settings, load
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.integration.test_workers import SOON, held, publish, shared

PATIENT = {"LAUREL_SESSION_SECONDS": "300"}  # longer than any test


def joined(worker: Worker) -> int:
    """How often a worker, started with -v, has joined its group."""
    return worker.log.read_text().count("(Re-)joining group")


def weighed(pipeline: Pipeline) -> int:
    """How many engagements the actors have sent on."""
    return len({(row["upstream"], row["upstream_offset"]) for row in pipeline.records("influence", "Influence")})


def names(settings: Settings) -> set[str | None]:
    """Under which names the group has members."""
    group = f"{settings.topic_prefix}{settings.group}"
    admin = AdminClient({"bootstrap.servers": settings.servers})
    return {member.group_instance_id for member in admin.describe_consumer_groups([group])[group].result(60).members}


@pytest.mark.slow
def test_workers_restarted_one_after_the_other_get_their_partitions_back_and_move_none(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path) as pipeline:

        def started(number: int) -> Worker:
            return pipeline.start(number, "-v", "--instance", f"w-{number}", **PATIENT)

        workers = [started(0), started(1)]
        eventually(lambda: shared(workers, 4), what="both hold partitions")
        before, joins = [held(worker) for worker in workers], joined(workers[0])
        publish(pipeline, 2_000)
        assert workers[1].stop() == 0
        workers[1] = started(1)
        eventually(lambda: shared(workers, 4), what="the one that was stopped has its partitions back")
        assert ([held(worker) for worker in workers], joined(workers[0])) == (before, joins)
        # So it is with one that is lost, be it the one that leads the group.
        joins = joined(workers[1])
        workers[0].kill()
        workers[0] = started(0)
        eventually(lambda: shared(workers, 4), what="the one that was killed has its partitions back")
        assert ([held(worker) for worker in workers], joined(workers[1])) == (before, joins)
        publish(pipeline, 1_000, seed=2)
        eventually(lambda: weighed(pipeline) == 3_000, what="every event is weighed")


def test_a_named_worker_that_does_not_come_back_loses_its_partitions(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        first = pipeline.start(0, "--instance", "first", **SOON)
        second = pipeline.start(1, "--instance", "second", **SOON)
        eventually(lambda: shared([first, second], 2), what="both hold partitions")
        publish(pipeline, 1_000)
        eventually(lambda: weighed(pipeline) == 1_000, what="there is state to restore")
        second.kill()
        eventually(lambda: shared([first], 2), what="the other has all partitions")
        publish(pipeline, 1_000, seed=2)
        eventually(lambda: weighed(pipeline) == 2_000, what="every event is weighed")


def test_of_two_workers_with_one_name_the_later_works_and_the_other_stops_and_says_why(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        first = pipeline.start(0, LAUREL_INSTANCE="same", **SOON)
        eventually(lambda: shared([first], 2))
        second = pipeline.start(1, LAUREL_INSTANCE="same", **SOON)
        assert first.wait() == 1
        said = first.log.read_text()
        assert f"another worker came as the instance 'same' of group {prefix}laurel" in said
        assert "Traceback" not in said
        eventually(lambda: shared([second], 2))
        publish(pipeline, 1_000)
        eventually(lambda: weighed(pipeline) == 1_000, what="every event is weighed")
        assert second.alive


def test_each_process_of_a_named_worker_has_a_name_of_its_own(kafka, prefix, tmp_path):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    with Pipeline(settings, tmp_path) as pipeline:
        pipeline.start(0, "--processes", "2", LAUREL_INSTANCE="pod-7", **SOON)
        eventually(lambda: names(settings) == {"pod-7-0", "pod-7-1"})

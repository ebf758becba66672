"""Influence networks on a real broker: published at a close, shown by `laurel network`."""

import json
from datetime import UTC, datetime

from laurel.streams.settings import load
from tests.engagements import engagement
from tests.integration.pipeline import Pipeline

FIRST = 19_800
ANN, BOB, CID, DAN = "twitter:ann", "twitter:bob", "twitter:cid", "twitter:dan"


def send(pipeline: Pipeline, *events: dict) -> None:
    encode = pipeline.codec.encode_one
    pipeline.produce("engagements", [(event["actor"].encode(), encode("Engagement", event)) for event in events])


def close(pipeline: Pipeline, day: int) -> None:
    pipeline.close_day(datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())


def lists(pipeline: Pipeline, day: int) -> dict[tuple[str, str], list[str]]:
    """Accounts of each person's list in each direction that was published at a close."""
    rows = pipeline.records("influence-networks", "InfluenceNetwork")
    return {
        (row["direction"], row["person"]): [tied["account"] for tied in row["accounts"]]
        for row in rows
        if row["day"] == day
    }


def decide(pipeline: Pipeline, account: str, member: str | None = None, *, opted_out: bool = False) -> None:
    profile = {"account": account, "member": member, "opted_out": opted_out, "consented": False, "updated_at": 0}
    pipeline.produce("profiles", [(account.encode(), pipeline.codec.encode_one("Profile", profile))])


def newest(pipeline: Pipeline) -> dict[bytes, bytes]:
    """The newest record of each key that has one."""
    records = {record.key or b"": record.value for record in pipeline.read("influence-networks")}
    return {key: value for key, value in records.items() if value is not None}


FIRST_ACTS = (
    engagement(1, FIRST, "retweet", BOB, ANN),
    engagement(2, FIRST, "reply", CID, ANN),
    engagement(3, FIRST, "like", BOB, DAN),
)


def tombstones(pipeline: Pipeline) -> list[bytes | None]:
    return [record.key for record in pipeline.read("influence-networks") if record.value is None]


def test_lists_are_published_where_they_change_and_shown_by_the_command(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start()
        send(pipeline, *FIRST_ACTS)
        close(pipeline, FIRST)
        assert lists(pipeline, FIRST) == {
            ("influences", ANN): [CID, BOB],
            ("influences", DAN): [BOB],
            ("influenced_by", BOB): [ANN, DAN],
            ("influenced_by", CID): [ANN],
        }
        like = engagement(3, FIRST, "like", BOB, DAN)
        send(
            pipeline,
            engagement(4, FIRST + 1, "reply", BOB, ANN),
            {**like, "event_id": "take-back", "retracts": like["event_id"]},
        )
        close(pipeline, FIRST + 1)
        assert lists(pipeline, FIRST + 1) == {("influences", ANN): [BOB, CID], ("influenced_by", BOB): [ANN]}
        assert tombstones(pipeline) == [b"influences/twitter:dan"]

        shown = pipeline.laurel("network", ANN)
        assert shown.returncode == 0, shown.stderr
        assert "it acts on nobody" in shown.stdout
        told = json.loads(pipeline.laurel("network", BOB, "--json").stdout)
        assert told["influences"] is None
        assert [tied["account"] for tied in told["influenced_by"]["accounts"]] == [ANN]
        nobody = pipeline.laurel("network", DAN)
        assert nobody.returncode == 1
        assert f"{DAN} has no influence network" in nobody.stderr


def test_who_opts_out_is_in_nobody_s_list_from_then_on_nor_has_one(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start()
        send(pipeline, *FIRST_ACTS)
        close(pipeline, FIRST)
        decide(pipeline, BOB, opted_out=True)
        shown = pipeline.laurel("network", ANN)  # at once, whatever the topic still says
        assert CID in shown.stdout
        assert BOB not in shown.stdout
        refused = pipeline.laurel("network", BOB)
        assert refused.returncode == 1
        assert "opted out" in refused.stderr
        send(pipeline, engagement(4, FIRST + 1, "reply", BOB, ANN))
        close(pipeline, FIRST + 1)
        assert not [key for key, value in newest(pipeline).items() if BOB.encode() in key + value]
        assert lists(pipeline, FIRST + 1) == {("influences", ANN): [CID]}
        assert sorted(tombstones(pipeline)) == [b"influenced_by/twitter:bob", b"influences/twitter:dan"]
        changelogs = [pipeline.read(f"changelog-{stage}") for stage in ("actors", "targets")]
        newest_of = {(r.topic, r.key): r.value or b"" for records in changelogs for r in records if r.key[:1] == b"w"}
        assert [key for key, value in newest_of.items() if BOB.encode() in value] == []

        decide(pipeline, BOB)  # and comes back, by the next act
        send(pipeline, engagement(5, FIRST + 2, "reply", BOB, ANN))
        close(pipeline, FIRST + 2)
        assert sorted(lists(pipeline, FIRST + 2)[("influences", ANN)]) == [BOB, CID]


def test_a_member_s_accounts_have_one_list_in_which_their_own_are_not(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start()
        other = "github:ann"
        send(
            pipeline,
            engagement(1, FIRST, "retweet", BOB, ANN),
            engagement(2, FIRST, "star", BOB, other),
            engagement(3, FIRST, "reply", CID, ANN),
            engagement(4, FIRST, "reply", ANN, DAN),
            engagement(5, FIRST, "star", ANN, other),
        )
        close(pipeline, FIRST)
        assert lists(pipeline, FIRST)[("influences", other)] == [ANN, BOB]
        decide(pipeline, ANN, "ann")
        decide(pipeline, other, "ann")
        close(pipeline, FIRST + 1)
        of_ann = {("influences", "ann"): [BOB, CID], ("influenced_by", "ann"): [DAN]}
        assert lists(pipeline, FIRST + 1) == of_ann
        gone = {b"influences/twitter:ann", b"influences/github:ann", b"influenced_by/twitter:ann"}
        assert set(tombstones(pipeline)) == gone
        decide(pipeline, ANN)
        decide(pipeline, other)
        close(pipeline, FIRST + 2)
        back = lists(pipeline, FIRST + 2)
        assert back[("influences", ANN)] == [CID, BOB]
        assert ("influences", "ann") not in back
        assert set(newest(pipeline)).isdisjoint({b"influences/ann", b"influenced_by/ann"})

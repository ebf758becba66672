"""A member's linked accounts are one person: one score of all of them, from the next close on, and back when unlinked."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from laurel.models.fade import fade_table
from laurel.models.parameters import V1
from laurel.models.scale import score
from laurel.streams.settings import load
from tests.engagements import DAY, engagement
from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import EVENT_COLUMNS, Oracle, read_networks

NETWORKS = Path(__file__).parents[2] / "models/networks.toml"
FIRST = 19_800
TWITTER, FACEBOOK, SILENT, MEMBER = "twitter:ann", "facebook:ann", "github:ann", "member-ann"


def events_of(day: int) -> list[dict]:
    mine = [engagement(n, day, "retweet", f"twitter:{n}", TWITTER, "jazz") for n in range(6)]
    mine += [engagement(10 + n, day, "comment", f"facebook:{n}", FACEBOOK, "jazz") for n in range(3)]
    others = [engagement(20 + n, day, "like", f"twitter:{n}", f"twitter:o{n % 7}", "jazz") for n in range(30)]
    if day == FIRST:
        mine.append(engagement(60, day, "post", TWITTER, TWITTER))
        mine.append(engagement(61, day, "post", FACEBOOK, FACEBOOK))
    if day == FIRST + 1:  # somebody acts on both accounts, and is reached by each
        mine.append(engagement(70, day, "comment", "twitter:0", FACEBOOK))
    return mine + others


def profile(account: str, member: str | None) -> dict:
    return {"account": account, "member": member, "opted_out": False, "consented": False, "updated_at": FIRST * DAY}


class Story:
    """A pipeline, the events sent to it, and what the oracle makes of them account by account."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.sent = pipeline, []

    def link(self, *accounts: str, member: str | None) -> None:
        self.pipeline.produce(
            "profiles",
            [
                (account.encode(), self.pipeline.codec.encode_one("Profile", profile(account, member)))
                for account in accounts
            ],
        )

    def close(self, day: int) -> dict[str, dict]:
        """Sends a day's events and closes it; the day's score updates by person."""
        arrivals = events_of(day)
        encoded = [(e["actor"].encode(), self.pipeline.codec.encode_one("Engagement", e)) for e in arrivals]
        self.pipeline.produce("engagements", encoded)
        self.sent += arrivals
        self.decided = self.pipeline.close_day(datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())
        updates = self.pipeline.records("score-updates", "ScoreUpdate")
        return {row["person"]: row for row in updates if row["day"] == day}

    def raw(self, day: int) -> dict[str, float]:
        rows = [
            {**e, "seq": n, "epoch": e["occurred_at"] // DAY, "record_ts": 2_000_000_000_000}
            for n, e in enumerate(self.sent)
        ]
        table = pa.Table.from_pylist(rows, schema=pa.schema(EVENT_COLUMNS))
        found = Oracle(read_networks(NETWORKS)).run(table, list(range(FIRST, day + 1)))
        return {row["account"]: row["raw"] for row in found.scores.to_pylist() if row["day"] == day}

    @staticmethod
    def parts(update: dict) -> dict[str, float]:
        """The parts of the change that are something; all of them sum to it."""
        assert sum(update["change"].values()) == pytest.approx(update["score"] - update["previous"], abs=1e-9)
        return {name: value for name, value in update["change"].items() if value}

    def signals(self) -> dict[str, dict]:
        """The newest signals of whoever of the story has any."""
        newest = {record.key.decode(): record.value for record in self.pipeline.read("signals")}
        found = {name: self.pipeline.codec.decode_one(value)[1] for name, value in newest.items() if value}
        return {name: found[name] for name in (TWITTER, FACEBOOK, SILENT, MEMBER) if name in found}

    def r0(self, day: int) -> float:
        records = self.pipeline.records("calendar", "Calendar")
        return next(row["r0"] for row in records if row["day"] == day and row["status"] == "closed")


def expected(raw: float, r0: float) -> float:
    return float(score(np.array([raw]), r0, V1)[0])


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 3])
def test_linked_accounts_are_scored_as_one_person(kafka, prefix, tmp_path, partitions):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=partitions), tmp_path) as pipeline:
        pipeline.start()
        story = Story(pipeline)

        alone = story.close(FIRST)
        assert {TWITTER, FACEBOOK} <= alone.keys()

        story.link(TWITTER, FACEBOOK, SILENT, member=MEMBER)
        together = story.close(FIRST + 1)
        raw, r0 = story.raw(FIRST + 1), story.r0(FIRST + 1)
        assert not {TWITTER, FACEBOOK, SILENT} & together.keys()
        person = together[MEMBER]
        assert person["score"] == pytest.approx(expected(raw[TWITTER] + raw[FACEBOOK], r0), abs=1e-9)
        assert person["score"] > max(expected(raw[TWITTER], r0), expected(raw[FACEBOOK], r0))
        assert person["previous"] is None
        points = {(part["network"], part["action"]): part["points"] for part in person["contributions"]}
        assert points.keys() == {("laurel", "base"), ("twitter", "retweet"), ("facebook", "comment")}
        assert sum(points.values()) == pytest.approx(person["score"], abs=1e-9)
        share = (person["score"] - expected(0.0, r0)) * raw[TWITTER] / (raw[TWITTER] + raw[FACEBOOK])
        assert points["twitter", "retweet"] == pytest.approx(share, abs=1e-9)
        assert person["change"] is None
        # Six and three people, and one of the six on the other account, too; nobody of them has earned a point.
        assert (person["true_reach"], person["network_influence"]) == (10, 0.0)
        fresh, day_old = fade_table(V1)[:2].tolist()
        reactions, posts = 10 * fresh + 9 * day_old, 2 * day_old
        assert person["amplification"] == pytest.approx(reactions / posts, rel=1e-12)
        # Whatever one of the accounts does is weighed by the person's score, and the accounts' own scores are gone.
        weighing = {row["account"]: row["score"] for row in pipeline.records("account-scores", "AccountScore")}
        assert [weighing[account] for account in (TWITTER, FACEBOOK, SILENT)] == [person["score"]] * 3
        newest = {record.key: record.value for record in pipeline.read("score-updates")}
        assert newest[TWITTER.encode()] is newest[FACEBOOK.encode()] is None
        board = next(row for row in pipeline.records("leaderboards", "Leaderboard") if row["day"] == FIRST + 1)
        places = {place["person"]: place for place in board["influencers"]}
        assert not {TWITTER, FACEBOOK} & places.keys()
        assert places[MEMBER]["rank"] == 1

        story.link(FACEBOOK, member=None)
        apart = story.close(FIRST + 2)
        raw, r0 = story.raw(FIRST + 2), story.r0(FIRST + 2)
        # The weights of the third day know the scores of the first, as the oracle's do: nobody was linked then.
        assert apart[MEMBER]["score"] == pytest.approx(expected(raw[TWITTER], r0), abs=1e-9)
        assert apart[MEMBER]["previous"] == person["score"]
        assert set(story.parts(apart[MEMBER])) >= {"reactions", "fading", "networks"}
        assert story.parts(apart[MEMBER])["networks"] < 0
        assert apart[FACEBOOK]["score"] == pytest.approx(expected(raw[FACEBOOK], r0), abs=1e-9)

        story.link(FACEBOOK, member=MEMBER)
        again = story.close(FIRST + 3)
        assert story.parts(again[MEMBER])["networks"] > 0
        # Signals are of the reactions to both accounts, of which neither alone had enough while they were apart.
        assert story.signals() == {
            MEMBER: {
                "person": MEMBER,
                "day": FIRST + 3,
                "reactions": 24 + 13,
                "named": 24 + 13,
                "burst": 10 / 37,
                "concentration": (9 * 4**2 + 1) / 37**2,
                "youth": 1.0,
                "flagged": ["youth"],
            }
        }

        alike = story.close(FIRST + 4)
        assert "networks" not in story.parts(alike[MEMBER])
        told = [row for row in pipeline.records("insights", "Insight") if row["person"] == MEMBER]
        moved = abs(alike[MEMBER]["score"] - alike[MEMBER]["previous"]) >= 0.1
        assert [row["day"] for row in told] == [FIRST + day for day in range(1, 4 + moved)]
        assert any("unlinked" in sentence for sentence in told[1]["sentences"])
        assert any("you linked" in sentence for sentence in told[2]["sentences"])

        story.link(TWITTER, FACEBOOK, SILENT, member=None)
        own = story.close(FIRST + 5)
        assert MEMBER not in own
        assert {TWITTER, FACEBOOK} <= own.keys()
        assert (own[TWITTER]["true_reach"], own[FACEBOOK]["true_reach"]) == (6, 4)
        newest = {record.key: record.value for record in pipeline.read("score-updates")}
        assert newest[MEMBER.encode()] is None
        assert story.signals().keys() == {TWITTER}
        newest = {record.key: record.value for record in pipeline.read("insights")}
        assert newest[MEMBER.encode()] is None

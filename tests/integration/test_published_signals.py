"""What looks like gaming is published beside the scores, until it no longer looks so, and shown by a command that says what it is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from laurel.streams.calendar import iso
from laurel.streams.settings import load
from tests.engagements import DAY, engagement
from tests.integration.comparison import assert_same
from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import EVENT_COLUMNS, Oracle, OracleResult, read_networks

NETWORKS = Path(__file__).parents[2] / "models/networks.toml"
FIRST = 19_800
BOT, STAR, CROWD, QUIET = (f"twitter:{name}" for name in ("bot", "star", "crowd", "quiet"))


def events_of(day: int) -> list[dict]:
    crowd = [engagement(100 + n, day, "like", f"twitter:{n}", CROWD) for n in range(25)]
    if day == FIRST:
        likes = [engagement(n, day, "like", BOT, STAR) for n in range(20)]
        return [*likes, *crowd, *(engagement(200 + n, day, "like", f"twitter:{n}", QUIET) for n in range(5))]
    taken_back = [{**engagement(n, day, "like", BOT, STAR), "retracts": f"e{FIRST}-{n}"} for n in range(5)]
    return [*taken_back, *crowd]


def expected(days: range) -> OracleResult:
    rows = [event for day in days for event in events_of(day)]
    told = [{**row, "seq": n, "epoch": row["occurred_at"] // DAY, "record_ts": 1 << 50} for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(told, schema=pa.schema(EVENT_COLUMNS))
    return Oracle(read_networks(NETWORKS)).run(table, list(days))


def close(pipeline: Pipeline, day: int) -> dict[str, dict | None]:
    """Sends a day's engagements and closes it; the newest signals of each person."""
    encode = pipeline.codec.encode_one
    pipeline.produce("engagements", [(e["actor"].encode(), encode("Engagement", e)) for e in events_of(day)])
    pipeline.close_day(datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())
    newest = {record.key.decode(): record.value for record in pipeline.read("signals")}
    return {person: value and pipeline.codec.decode_one(value)[1] for person, value in newest.items()}


@pytest.fixture
def pipeline(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Pipeline]:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as found:
        found.start()
        yield found


def test_signals_are_published_beside_scores_they_do_not_move_until_nothing_is_suspicious(pipeline: Pipeline) -> None:
    found = close(pipeline, FIRST)
    assert found.keys() == {STAR, CROWD}
    told = {"person": STAR, "day": FIRST, "reactions": 20, "named": 20}
    shares = {"burst": 1.0, "concentration": 1.0, "youth": 1.0, "flagged": ["burst", "concentration", "youth"]}
    assert found[STAR] == told | shares
    assert found[CROWD] is not None
    assert found[CROWD]["flagged"] == ["burst", "youth"]
    assert found[CROWD]["concentration"] == pytest.approx(1 / 25)

    shown = pipeline.laurel("signals", "--json")
    assert [row["person"] for row in json.loads(shown.stdout)["people"]] == [STAR, CROWD]
    shown = pipeline.laurel("signals", STAR)
    assert shown.returncode == 0
    assert "1.00 !" in shown.stdout
    assert "A signal proves nothing and moves no score" in shown.stdout

    found = close(pipeline, FIRST + 1)
    assert found[STAR] is None
    assert found[CROWD] is not None
    assert (found[CROWD]["reactions"], found[CROWD]["burst"]) == (50, 0.5)
    # The oracle computes scores without knowing that there are signals.
    assert assert_same(pipeline, expected(range(FIRST, FIRST + 2)))["signals"] == 3

    for account in (STAR, QUIET):
        shown = pipeline.laurel("signals", account)
        assert (shown.returncode, shown.stdout.split(" on ")[0]) == (0, f"{account} has no suspicious signal")
    shown = pipeline.laurel("signals", "twitter:nobody", "--json")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "twitter:nobody has no score" in shown.stderr

    profile = {"account": CROWD, "member": None, "opted_out": True, "consented": False, "updated_at": 0}
    pipeline.produce("profiles", [(CROWD.encode(), pipeline.codec.encode_one("Profile", profile))])
    assert json.loads(pipeline.laurel("signals", CROWD, "--json").stdout)["signals"] is None
    assert "nobody has a suspicious signal" in pipeline.laurel("signals").stdout
    assert shown_of_strangers(pipeline) == ["twitter:next", "twitter:odd", "twitter:empty"]
    pipeline.produce(
        "profiles", [(CROWD.encode(), pipeline.codec.encode_one("Profile", profile | {"opted_out": False}))]
    )
    found = json.loads(pipeline.laurel("signals", CROWD, "--json").stdout)["signals"]
    assert (found["person"], found["reactions"]) == (CROWD, 50)


def shown_of_strangers(pipeline: Pipeline) -> list[str]:
    """Whom the list shows after records that no worker writes: of a day before the closed one, of the next, without or with unknown
    names of signals, and no name at all forgotten."""
    days = {"twitter:old": FIRST, "twitter:odd": FIRST + 1, "twitter:empty": FIRST + 1, "twitter:next": FIRST + 2}
    flagged = {"twitter:old": ["burst"], "twitter:odd": ["unknown"], "twitter:empty": [], "twitter:next": ["burst"]}
    shares = {"named": 20, "burst": 1.0, "concentration": 1.0, "youth": 1.0}
    written = [
        {"person": name, "day": day, "reactions": 20 + (name == "twitter:odd"), "flagged": flagged[name], **shares}
        for name, day in days.items()
    ]
    rows = [(row["person"].encode(), pipeline.codec.encode_one("Signals", row)) for row in written]
    pipeline.produce("signals", [*rows, (b"\xff", None)])
    assert json.loads(pipeline.laurel("signals", "twitter:next", "--json").stdout)["signals"]["reactions"] == 20
    assert "twitter:old has no score" in pipeline.laurel("signals", "twitter:old").stderr
    table = pipeline.laurel("signals").stdout.splitlines()
    dated = [line for line in table if f"on {iso(FIRST + 2)}" in line]
    assert ["twitter:next" in line for line in dated] == [True]
    return [row["person"] for row in json.loads(pipeline.laurel("signals", "--json").stdout)["people"]]

"""The table of networks: data that an operator can add to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from laurel.models.errors import LaurelError
from laurel.models.networks import KINDS, PLUS_K, POST, REACTION, Networks, NetworksError

CONTRACT = """
    twitter: retweet mention reply like post
    facebook: comment wall_post like share post
    facebook_pages: comment wall_post like share post
    linkedin: comment like share
    foursquare: tip todo done
    google_plus: comment reshare plus_one post
    youtube: view like comment subscribe post
    instagram: like comment mention post
    flickr: favorite comment post
    laurel: plus_k
"""


def code(networks: Networks, network: str | None, action: str | None) -> int:
    return int(networks.codes(pa.array([network], pa.string()), pa.array([action], pa.string()))[0])


def write(folder: Path, text: str) -> Path:
    path = folder / "more.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_promised_network_and_action_is_known() -> None:
    networks = Networks.load()
    promised = {
        (name.strip(), action)
        for name, actions in (line.split(":") for line in CONTRACT.strip().splitlines())
        for action in actions.split()
    }
    assert promised <= set(zip(networks.network, networks.action, strict=True))
    assert {"bluesky", "mastodon", "github", "stackexchange"} <= set(networks.network_names)


def test_columns_belong_together_and_are_sorted_by_a_lasting_id() -> None:
    networks = Networks.load()
    expected = [
        xxhash.xxh32_intdigest(f"{n}/{a}".encode()) for n, a in zip(networks.network, networks.action, strict=True)
    ]
    assert networks.ids.tolist() == expected == sorted(expected)
    assert [networks.network_names[at] for at in networks.network_code] == networks.network
    types = networks.ids, networks.weight, networks.kind, networks.network_code
    assert [column.dtype for column in types] == [np.uint32, np.int64, np.int8, np.int16]


def test_the_id_of_an_action_never_changes() -> None:
    networks = Networks.load()
    assert networks.ids[code(networks, "twitter", "retweet")] == 0xE72B891F
    assert networks.ids[code(networks, "laurel", "plus_k")] == 0xB45C1607


def test_reactions_weigh_and_posts_and_plus_ks_do_not() -> None:
    networks = Networks.load()
    reaction = networks.kind == REACTION
    assert (networks.weight[reaction] > 0).all()
    assert (networks.weight <= 1_000_000).all()
    assert not networks.weight[~reaction].any()
    assert [networks.network[at] for at in np.flatnonzero(networks.kind == PLUS_K)] == ["laurel"]


def test_codes_tell_an_unknown_network_from_an_unknown_action() -> None:
    networks = Networks.load()
    names = list(zip(networks.network, networks.action, strict=True))
    assert [code(networks, *pair) for pair in names] == list(range(len(names)))
    assert code(networks, "orkut", "like") == code(networks, None, "like") == code(networks, "", "") == -1
    assert code(networks, "twitter", "poke") == code(networks, "twitter", None) == -2
    assert code(networks, "linkedin", "retweet") == -2
    assert networks.codes(pa.array([], pa.string()), pa.array([], pa.string())).tolist() == []


def test_codes_see_a_slice_of_a_column_as_what_it_shows() -> None:
    networks = Networks.load()
    network = pa.array(["orkut", "twitter", "flickr"])[1:]
    action = pa.array(["like", "reply", "comment"])[1:]
    expected = [code(networks, "twitter", "reply"), code(networks, "flickr", "comment")]
    assert networks.codes(network, action).tolist() == expected


def test_ids_are_told_apart_also_where_they_end_alike() -> None:
    ids = np.array([5, 65_536 + 5, 131_072 + 7], np.uint32)
    networks = replace(Networks.load(), ids=ids)
    asked = np.array([131_079, 5, 6, 65_541, 131_077, 0], np.uint32)
    assert networks.positions(asked).tolist() == [2, 0, -1, 1, -1, -1]


def test_an_operator_adds_a_network_and_reweighs_an_action(tmp_path: Path) -> None:
    text = """
        [forum]
        answer = { kind = "reaction", weight = 1 }
        thread = { kind = "post" }
        [twitter]
        like = { kind = "reaction", weight = 0.25 }
        quote = { kind = "reaction", weight = 0.000001 }
    """
    networks = Networks.load(write(tmp_path, text))
    assert networks.weight[code(networks, "forum", "answer")] == 1_000_000
    assert networks.kind[code(networks, "forum", "thread")] == POST
    assert networks.weight[code(networks, "twitter", "like")] == 250_000
    assert networks.weight[code(networks, "twitter", "quote")] == 1
    assert networks.weight[code(networks, "twitter", "reply")] == 1_000_000
    assert set(Networks.load().ids) < set(networks.ids)


REACTION_ENTRY = '{ kind = "reaction", weight = 0.5 }'
REFUSED = {
    "forum = 3": "'forum'",
    "[forum]": "'forum'",
    "[Forum]\nanswer = " + REACTION_ENTRY: "'Forum'",
    '["a:b"]\nanswer = ' + REACTION_ENTRY: "'a:b'",
    '[forum]\n"a/b" = ' + REACTION_ENTRY: "'a/b'",
    "[forum]\nanswer = 0.5": "'answer'",
    "[forum]\nanswer = { weight = 0.5 }": "'answer'",
    '[forum]\nanswer = { kind = "reaction" }': "'answer'",
    '[forum]\nanswer = { kind = "view", weight = 0.5 }': "'view'",
    '[forum]\nanswer = { kind = "reaction", weight = 1.5 }': "1.5",
    '[forum]\nanswer = { kind = "reaction", weight = -0.1 }': "-0.1",
    '[forum]\nanswer = { kind = "reaction", weight = 0 }': "above 0",
    '[forum]\nanswer = { kind = "reaction", weight = nan }': "nan",
    '[forum]\nanswer = { kind = "reaction", weight = true }': "True",
    '[forum]\nanswer = { kind = "reaction", weight = "1" }': "'1'",
    '[forum]\nanswer = { kind = "reaction", weight = 1, half_life = 3 }': "'answer'",
    '[forum]\nthread = { kind = "post", weight = 0.5 }': "only a reaction",
    '[forum]\nkudos = { kind = "plus_k" }': "only the network 'laurel'",
    '[twitter]\npost = { kind = "reaction", weight = 1 }': "built in as a post",
    "[laurel]\nbase = " + REACTION_ENTRY: "laurel's own",
    "[forum": "not valid TOML",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_networks_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(NetworksError) as refused:
        Networks.load(path)
    assert str(path) in str(refused.value)
    assert REFUSED[text] in str(refused.value)
    assert isinstance(refused.value, LaurelError)


def test_a_networks_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NetworksError, match=r"absent\.toml"):
        Networks.load(tmp_path / "absent.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(NetworksError, match=r"binary\.toml"):
        Networks.load(binary)


def test_two_actions_with_one_id_are_refused(tmp_path: Path) -> None:
    text = f"[forum]\neznmkzprt = {REACTION_ENTRY}\nvszgvvu = {REACTION_ENTRY}"  # their ids happen to be equal
    with pytest.raises(NetworksError, match="forum/eznmkzprt and forum/vszgvvu have the same id"):
        Networks.load(write(tmp_path, text))


def test_kinds_are_named_by_their_codes() -> None:
    assert [KINDS[REACTION], KINDS[POST], KINDS[PLUS_K]] == ["reaction", "post", "plus_k"]

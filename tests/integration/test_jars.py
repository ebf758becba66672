"""The cache of the broker's jars, against a real HTTP server that stands in for a Maven repository."""

import fcntl
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.streams.jars import LOCK, Jar, JarError, ensure_jars, pinned_jars

CONTENT = {"org.example:one:1.0": b"first jar" * 9_000, "org.example.deep:two:2.1-b3": b"second jar" * 50}
JARS = tuple(Jar(name, len(body), hashlib.sha256(body).hexdigest()) for name, body in CONTENT.items())


class Quiet(SimpleHTTPRequestHandler):
    def log_request(self, code="-", size="-"): ...

    def log_error(self, *args): ...


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder laid out as a Maven repository, holding CONTENT."""
    for name, body in CONTENT.items():
        group, artifact, version = name.split(":")
        folder = tmp_path / "repository" / group.replace(".", "/") / artifact / version
        folder.mkdir(parents=True)
        (folder / f"{artifact}-{version}.jar").write_bytes(body)
    return tmp_path / "repository"


@pytest.fixture
def served(repository: Path) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=repository)) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAUREL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "jars"


@pytest.fixture
def address(served: ThreadingHTTPServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"http://127.0.0.1:{served.server_port}/"
    monkeypatch.setenv("LAUREL_MAVEN_REPOSITORY", address)
    return address


def repository_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on port 9 (discard) of this machine."""
    monkeypatch.setenv("LAUREL_MAVEN_REPOSITORY", "http://127.0.0.1:9")


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_changed_byte_and_any_other_length_is_noticed(tmp_path_factory, body, data):
    jar = Jar("g:a:1", len(body), hashlib.sha256(body).hexdigest())
    path = tmp_path_factory.getbasetemp() / "candidate.jar"
    path.write_bytes(body)
    assert jar.is_sound(path)
    at = data.draw(st.integers(0, len(body) - 1))
    flipped = bytes([body[at] ^ data.draw(st.integers(1, 255))])
    path.write_bytes(body[:at] + flipped + body[at + 1 :])
    assert not jar.is_sound(path)
    path.write_bytes(body[:at])
    assert not jar.is_sound(path)


def test_every_pinned_jar_has_its_own_name_and_a_whole_checksum():
    jars = pinned_jars()
    assert len({jar.file_name for jar in jars}) == len(jars) > 30
    assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.bytes > 0 for jar in jars)


def test_jars_are_fetched_once_and_need_no_repository_afterwards(address, cache, monkeypatch):
    paths = ensure_jars(JARS)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert sorted(cache.glob("[!.]*")) == sorted(paths)
    assert not list(cache.glob(".download-*")), "nothing but the jars is left in the cache"
    repository_is_gone(monkeypatch)
    assert ensure_jars(JARS) == paths


def test_a_damaged_jar_is_fetched_again(address, cache):
    [path, _] = ensure_jars(JARS)
    path.write_bytes(CONTENT["org.example:one:1.0"][:-1] + b"?")
    ensure_jars(JARS)
    assert path.read_bytes() == CONTENT["org.example:one:1.0"]


def test_a_jar_that_is_not_what_was_pinned_is_refused_and_not_kept(address, cache):
    other = Jar("org.example:one:1.0", JARS[0].bytes, "0" * 64)
    with pytest.raises(JarError, match=r"org\.example:one:1\.0 .*SHA-256"):
        ensure_jars((other,))
    assert not list(cache.glob("[!.]*"))


def test_a_repository_that_lacks_a_jar_is_named_with_the_jar(address, cache):
    with pytest.raises(JarError, match=rf"org\.example:three:1 from {address}: the repository doesn't have it"):
        ensure_jars((Jar("org.example:three:1", 1, "0" * 64),))


def test_without_a_network_the_message_says_that_the_first_start_needs_one(cache, monkeypatch):
    repository_is_gone(monkeypatch)
    with pytest.raises(JarError, match="the first start needs the network"):
        ensure_jars(JARS)


def test_a_folder_can_be_the_repository(repository, cache, monkeypatch):
    monkeypatch.setenv("LAUREL_MAVEN_REPOSITORY", str(repository))
    assert [path.read_bytes() for path in ensure_jars(JARS)] == list(CONTENT.values())
    assert (repository / "org/example/one/1.0/one-1.0.jar").exists(), "the repository keeps its own"


def test_a_cache_that_cannot_be_written_is_named(tmp_path, address, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAUREL_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(JarError, match="LAUREL_CACHE_DIR"):
        ensure_jars(JARS)


def test_of_many_who_need_the_jars_at_once_one_fetches_them_and_the_others_wait(address, cache, capfd):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(ensure_jars, [JARS] * 4))
    assert [path.read_bytes() for path in results[0]] == list(CONTENT.values())
    assert results == results[:1] * 4
    assert capfd.readouterr().err.count("downloading Apache Kafka (") == 1


def test_who_waits_for_a_download_that_is_broken_off_does_it(address, cache):
    cache.mkdir(parents=True)
    with (cache / LOCK).open("w") as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = pool.submit(ensure_jars, JARS)
        assert not any(path.exists() for path in map(cache.joinpath, (jar.file_name for jar in JARS)))
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert [path.read_bytes() for path in waiting.result()] == list(CONTENT.values())


def test_without_a_terminal_one_plain_line_says_what_is_downloaded(address, cache, capsys):
    ensure_jars(JARS)
    ensure_jars(JARS)
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"downloading Apache Kafka (2 jars, 0 MB) into {cache}"

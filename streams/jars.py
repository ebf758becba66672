"""The jars of Apache Kafka's broker: pinned by checksum, fetched once, cached for all checkouts and environments.

`jars.toml` beside this file names each jar and its SHA-256. The first use downloads them from the public Maven repository
that jgo knows, or from the one that `LAUREL_MAVEN_REPOSITORY` names (an address, or a folder laid out as a Maven
repository); afterwards no network is needed. They are kept in the user's cache folder, or in `LAUREL_CACHE_DIR`.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from laurel.models.errors import LaurelError

CONNECTIONS = 4
TRIES = 3  # of each jar, before the download is given up
TIMEOUT = 30  # seconds without a byte
LOCK = ".lock"  # in the cache: whoever holds it downloads


class JarError(LaurelError):
    """The broker's jars are not cached and can't be fetched; the message says which one and why."""


@dataclass(frozen=True)
class Jar:
    """One pinned jar: Maven coordinate `group:artifact:version`, size in bytes, SHA-256 in lower-case hexadecimal."""

    coordinate: str
    bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache, `artifact-version.jar`."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_sound(self, path: Path) -> bool:
        """Whether the file at `path` exists and is this jar, by size and checksum."""
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != self.bytes:
                    return False
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def pinned_jars() -> tuple[Jar, ...]:
    """The jars of `jars.toml`, in its order, which is the order of the class path."""
    table = tomllib.loads(Path(__file__).with_name("jars.toml").read_text(encoding="utf-8"))
    return tuple(Jar(coordinate, row["bytes"], row["sha256"]) for coordinate, row in table["jars"].items())


def cache_folder() -> Path:
    """Where laurel keeps what it downloads: `LAUREL_CACHE_DIR`, else the user's cache folder."""
    named = os.environ.get("LAUREL_CACHE_DIR")
    return Path(named).absolute() if named else platformdirs.user_cache_path("laurel", appauthor=False)


def ensure_jars(jars: tuple[Jar, ...] | None = None) -> list[Path]:
    """Paths of the jars in the cache, after fetching those that are missing or damaged.

    Every file's checksum is verified on every call (30 ms for all of Kafka). A file appears under its name only
    once it is whole, so a download may be interrupted. Who comes while another process downloads waits for it, and fetches
    what is missing then.

    Raises JarError if a jar can't be fetched, or what comes has another checksum.
    """
    wanted = pinned_jars() if jars is None else jars
    folder = cache_folder() / "jars"
    try:
        if _missing(wanted, folder):
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                if missing := _missing(wanted, folder):
                    with tempfile.TemporaryDirectory(
                        prefix=".download-", dir=folder, ignore_cleanup_errors=True
                    ) as scratch:
                        _download(missing, Path(scratch), folder)
    except OSError as error:
        raise JarError(
            f"can't keep Kafka's jars in {folder} ({error}); set LAUREL_CACHE_DIR to a folder that can be written"
        ) from error
    return [folder / jar.file_name for jar in wanted]


def _missing(wanted: tuple[Jar, ...], folder: Path) -> list[Jar]:
    return [jar for jar in wanted if not jar.is_sound(folder / jar.file_name)]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else downloads into the folder; the system lets go of the lock of a process that has ended."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Console(stderr=True).print(
                f"waiting for another process, which downloads Apache Kafka into {folder}",
                soft_wrap=True,
                highlight=False,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(missing: list[Jar], scratch: Path, folder: Path) -> None:
    with _progress(missing, folder) as advance, ThreadPoolExecutor(CONNECTIONS) as pool:
        fetches = [pool.submit(_fetch, jar, scratch, folder, advance) for jar in missing]
        try:
            for fetch in fetches:
                fetch.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(jar: Jar, scratch: Path, folder: Path, advance: Callable[[int], None]) -> None:
    """Download one jar into `scratch`, verify it, and move it into `folder`."""
    import requests  # noqa: PLC0415 - these take a fifth of a second, and most starts find everything cached
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - likewise

    @contextmanager
    def report(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    repository = os.environ.get("LAUREL_MAVEN_REPOSITORY", "")
    remote = {"LAUREL_MAVEN_REPOSITORY": repository.rstrip("/")} if "://" in repository else {} if repository else None
    reason = ""
    for attempt in range(TRIES):
        context = MavenContext(
            resolver=PythonResolver(progress_callback=report),
            repo_cache=scratch / f"{jar.file_name}.{attempt}",
            local_repos=[Path(repository)] if repository and "://" not in repository else [],
            remote_repos=remote,
            timeout=TIMEOUT,
        )
        try:
            path = context.create_dependency(jar.coordinate).artifact.resolve()
        except requests.RequestException as error:
            reason = f"{type(error).__name__}: the repository can't be reached; the first start needs the network, later ones don't"
            continue
        except RuntimeError:
            reason = "the repository doesn't have it"
            continue
        if jar.is_sound(path):
            if not path.is_relative_to(scratch):
                path = Path(shutil.copyfile(path, scratch / jar.file_name))
            path.replace(folder / jar.file_name)
            return
        reason = f"what came has not the SHA-256 {jar.sha256} it is pinned to"
    source = repository or "the public Maven repository (set LAUREL_MAVEN_REPOSITORY to use a mirror)"
    raise JarError(f"can't fetch {jar.coordinate} from {source}: {reason}")


@contextmanager
def _progress(missing: list[Jar], folder: Path) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, one plain line elsewhere; both on standard error."""
    console = Console(stderr=True)
    total = sum(jar.bytes for jar in missing)
    if not console.is_terminal:
        console.print(
            f"downloading Apache Kafka ({len(missing)} jars, {total / 1e6:.0f} MB) into {folder}",
            soft_wrap=True,
            highlight=False,
        )
        yield lambda _bytes: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("downloading Apache Kafka", total=total)
        yield lambda count: progress.advance(task, count)

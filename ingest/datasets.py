"""Where the real data sets are. None comes with laurel: their licences are their own (docs/data.md)."""

from dataclasses import dataclass
from pathlib import Path

import pooch

from laurel.ingest.errors import DataError
from laurel.streams.settings import Settings


@dataclass(frozen=True)
class DataSet:
    """A file of real events: its place within the data folder, and, if it is published, where, with its SHA-256."""

    place: str
    url: str | None = None
    sha256: str | None = None


DATA_SETS = {
    "higgs": DataSet(
        "higgs/higgs-activity_time.txt.gz",
        "https://snap.stanford.edu/data/higgs-activity_time.txt.gz",
        "901b199716a23b0fc0371705e3ae9941b5c9493277aec65456abc4988674ad79",
    ),
    "stackexchange": DataSet("stackexchange-quantum/events.csv.gz"),
}


def find(name: str, settings: Settings) -> Path:
    """The data set's file, in the data folder or among what `fetch` downloaded; DataError says how to get it."""
    known = _known(name)
    places = [_downloads() / Path(known.place).name]
    if settings.data_dir is not None:
        places = [settings.data_dir / known.place, settings.data_dir / Path(known.place).name, *places]
    for place in places:
        if place.is_file():
            return place
    folder = "" if settings.data_dir is None else f" in {settings.data_dir}"
    raise DataError(
        f"the data set {name} is not there{folder}: set LAUREL_DATA_DIR to a folder with {known.place}"
        + (f", which {known.url} has" if known.url else "; docs/data.md tells how that file is made")
    )


def fetch(name: str) -> Path:
    """Downloads the data set, or finds it downloaded, and checks its SHA-256; DataError if that can't be done."""
    known = _known(name)
    if known.url is None:
        raise DataError(f"the data set {name} is published nowhere as such; docs/data.md tells how its file is made")
    try:
        return Path(
            pooch.retrieve(known.url, f"sha256:{known.sha256}", fname=Path(known.place).name, path=_downloads())
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{known.url} could not be downloaded: {error}") from None


def _known(name: str) -> DataSet:
    if name not in DATA_SETS:
        raise DataError(f"no data set is called {name}: known are {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def _downloads() -> Path:
    return Path(pooch.os_cache("laurel")) / "data"

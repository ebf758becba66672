# ruff: noqa: INP001 (a script, in no package)
"""Registers the schemas of `avro/` with a Confluent-compatible registry, and holds that it gives them their ids.

    python register_schemas.py http://registry:8080/apis/ccompat/v7 avro

laurel itself needs no registry: the ids in its records are those of `avro/ids.json`. Programs that look schemas up in one
find the same ones there if the registry hands out ids in order and laurel's come first. Subjects are named after the
records (RecordNameStrategy), as a topic may carry several. Exit status 1, with a sentence, if an id differs.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

CONTENT = "application/vnd.schemaregistry.v1+json"
ANSWER_WITHIN = 60.0  # seconds for a registry that has just been started
TRY_EVERY = 1.0  # seconds


class RegistryError(Exception):
    """The registry doesn't answer, refuses a schema, or gives it another id."""


def call(method: str, address: str, body: dict[str, str]) -> Any:
    """What the registry answers; tries again while nobody answers or the server isn't up yet."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": CONTENT}, method=method)  # noqa: S310 (the operator's own)
    deadline = time.monotonic() + ANSWER_WITHIN
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 or time.monotonic() > deadline:
                raise RegistryError(
                    f"{method} {address}: {error.code} {error.read().decode(errors='replace')}"
                ) from None
        except OSError as error:
            if time.monotonic() > deadline:
                raise RegistryError(f"no registry answers at {address}: {error}") from None
        time.sleep(TRY_EVERY)


def register(registry: str, folder: Path) -> dict[str, int]:
    """Registers every version in the order of ids; the ids by file. Raises RegistryError."""
    files: dict[str, str] = json.loads((folder / "ids.json").read_text())
    call("PUT", f"{registry}/config", {"compatibility": "BACKWARD"})
    found: dict[str, int] = {}
    for number, file in sorted(files.items(), key=lambda entry: int(entry[0])):
        text = (folder / file).read_text()
        subject = f"laurel.{json.loads(text)['name']}"
        found[file] = call("POST", f"{registry}/subjects/{subject}/versions", {"schema": text})["id"]
        if found[file] != int(number):
            raise RegistryError(
                f"{registry} gives {file} the id {found[file]}, and records carry {number}: register laurel's schemas with a "
                "registry that is empty, before any others, or leave the registry out"
            )
    return found


if __name__ == "__main__":
    try:
        print(json.dumps(register(sys.argv[1].rstrip("/"), Path(sys.argv[2]))))  # noqa: T201 (a command prints)
    except RegistryError as error:
        sys.exit(f"error: {error}")

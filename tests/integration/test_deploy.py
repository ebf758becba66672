"""What the files of deploy/ and docker-compose.kafka.yml name exists: paths, ports, commands, variables, metrics."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings
from tests.integration.pipeline import WITHIN

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.kafka.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "laurel"]
WORKERS = [name for name in OURS if SERVICES[name].get("command") == ["worker"]]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
SETTINGS = {f"LAUREL_{name.upper()}" for name in Settings.model_fields}
LAUREL_VARIABLE = re.compile(r"\bLAUREL_[A-Z_]+\b")


def instructions(word: str) -> list[list[str]]:
    """Arguments of the Dockerfile's instructions of a kind."""
    text = DOCKERFILE.replace("\\\n", " ")
    return [line.split()[1:] for line in text.splitlines() if line.startswith(f"{word} ")]


def copied() -> dict[str, str]:
    """Where each path of the repository goes in the image."""
    return dict(found for found in instructions("COPY") if not found[0].startswith("--"))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image has as /opt/laurel/src, made as the Dockerfile makes it."""
    source = tmp_path_factory.mktemp("image")
    for path, place in copied().items():
        if place.startswith("/opt/laurel/src/"):
            to = source / Path(place).relative_to("/opt/laurel/src")
            if (ROOT / path).is_dir():
                shutil.copytree(ROOT / path, to, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / path, to)
    return source


def in_image(image: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env={"PYTHONPATH": str(image)},
        cwd=image.parent,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def test_the_image_has_all_that_laurel_is_made_of(image: Path) -> None:
    where = in_image(image, "-c", "import laurel.agents.worker as module; print(module.__file__)")
    assert where.returncode == 0, where.stderr
    assert Path(where.stdout.strip()).is_relative_to(image)
    listed = in_image(image, "-m", "laurel", "topics", "list", "--json")
    assert listed.returncode == 0, listed.stderr


def test_the_build_is_given_all_that_it_copies() -> None:
    ignore = (ROOT / "deploy" / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignore[0] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == set(copied())
    assert all((ROOT / path).exists() for path in copied())


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_runs_a_command_there_is(name: str, image: Path) -> None:
    service = SERVICES[name]
    if "entrypoint" in service:
        _, script = service["entrypoint"]
        assert (image / Path(script).relative_to("/opt/laurel/src")).is_file()
        assert (image / Path(service["command"][1]).relative_to("/opt/laurel/src")).is_dir()
        return
    assert instructions("ENTRYPOINT") == [['["python",', '"-m",', '"laurel"]']]
    helped = in_image(image, "-m", "laurel", *service["command"], "--help")
    assert helped.returncode == 0, helped.stderr


def test_every_variable_is_a_setting() -> None:
    named = {
        name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("LAUREL_")
    }
    named |= set(LAUREL_VARIABLE.findall(DOCKERFILE))
    assert {"LAUREL_BOOTSTRAP", "LAUREL_STATE", "LAUREL_METRICS_HOST"} <= named <= SETTINGS
    given = {name.removeprefix("LAUREL_").lower(): value for name, value in SERVICES["worker-0"]["environment"].items()}
    assert Settings(**given).bootstrap == "kafka:9092"


def test_services_mount_paths_and_volumes_there_are() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
        for other in service.get("depends_on", []):
            assert other in SERVICES
        if "build" in service:
            assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert [volume.split(":")[1] for name in WORKERS for volume in SERVICES[name]["volumes"]] == ["/var/lib/laurel"] * 2
    assert ["/var/lib/laurel"] in instructions("VOLUME")


def test_addresses_inside_name_services_and_the_ports_they_listen_on() -> None:
    listens = {name: {port.split(":")[-1] for port in service.get("ports", [])} for name, service in SERVICES.items()}
    kafka = SERVICES["kafka"]["environment"]
    listens["kafka"] |= set(re.findall(r"://:(\d+)", kafka["KAFKA_LISTENERS"]))
    for name in WORKERS:
        listens[name].add(SERVICES[name]["environment"]["LAUREL_METRICS_PORT"])
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"][0]["static_configs"][0][
        "targets"
    ]
    assert [target.split(":")[0] for target in scraped] == WORKERS
    text = json.dumps([service.get("environment", {}) for service in SERVICES.values()]) + json.dumps(scraped)
    text += json.dumps([service.get("command", []) for service in SERVICES.values()])
    found = re.findall(rf"\b({'|'.join(SERVICES)}):(\d+)", text)
    assert {"kafka", "registry", *WORKERS} == {name for name, _ in found}
    assert all(port in listens[name] for name, port in found)
    assert re.findall(r"EXPOSE (\d+)", DOCKERFILE) == ["9300"]


def test_prometheus_reads_files_there_are() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    for name in config["rule_files"]:
        assert (PROMETHEUS / name).is_file()
    [pattern] = [
        files for job in config["scrape_configs"] for sd in job.get("file_sd_configs", []) for files in sd["files"]
    ]
    [example] = PROMETHEUS.glob(pattern)
    assert yaml.safe_load(example.read_text()) == []
    commented = "\n".join(re.findall(r"^# ((?:-|  ).*)$", example.read_text(), re.MULTILINE))
    [group] = yaml.safe_load(commented)
    assert all(re.fullmatch(r"[a-z0-9.-]+:\d+", target) for target in group["targets"])


def test_alerts_ask_for_metrics_there_are_and_point_to_what_to_do() -> None:
    known = {sample for family in Metrics().registry.collect() for sample in (family.name, f"{family.name}_total")}
    sections = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    }
    [group] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]:
        used = set(re.findall(r"\blaurel_\w+", rule["expr"]))
        assert used <= known
        assert used or "up{" in rule["expr"]
        file, _, section = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/operations.md"
        assert section in sections


def test_the_image_s_packages_are_those_of_the_project_pinned_as_in_development() -> None:
    def pinned(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text()
        assert len(re.findall(r"^\S+==", text, re.MULTILINE)) <= text.count("--hash=sha256:")
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))

    run, dev = pinned("run.txt"), pinned("dev.txt")
    assert run.items() <= dev.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {re.split(r"[<>=~! ]", line)[0] for line in project["project"]["dependencies"]}
    assert wanted <= set(run)
    only_dev = {re.split(r"[<>=~! ]", line)[0] for line in project["dependency-groups"]["dev"]} - wanted
    assert not {"pytest", "duckdb", "ruff", "mypy"} & set(run)
    assert len(run) + len(only_dev) <= len(dev)


class Registry(BaseHTTPRequestHandler):
    """As much of a registry as registering needs; ids in order of arrival, from `first`."""

    known: dict[str, int]
    first: int

    def do_PUT(self) -> None:
        self.answer(self.body())

    def do_POST(self) -> None:
        schema = self.body()["schema"]
        self.answer({"id": self.known.setdefault(schema, self.first + len(self.known))})

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, told: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(params=[1, 2])
def registry(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    kind = type("OneRegistry", (Registry,), {"known": {}, "first": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", request.param
    server.shutdown()
    server.server_close()
    thread.join()


def test_schemas_are_registered_under_their_ids_or_it_says_why_not(registry: tuple[str, int], image: Path) -> None:
    address, first = registry
    for _ in range(2):  # again: as a restart does
        told = in_image(image, str(image / "register_schemas.py"), address, str(ROOT / "avro"))
        if first == 1:
            assert told.returncode == 0, told.stderr
            ids = json.loads((ROOT / "avro" / "ids.json").read_text())
            assert json.loads(told.stdout) == {file: int(number) for number, file in ids.items()}
        else:
            assert told.returncode == 1
            assert "gives Engagement.avsc the id 2, and records carry 1" in told.stderr
            assert "Traceback" not in told.stderr

"""What all tests share: one real Kafka broker, topic names nobody else uses, and how they are spread over processes."""

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from laurel.streams.broker import EmbeddedBroker

# No test fails for being slow on a busy machine; a failing example is printed in a form that can be run again.
settings.register_profile("laurel", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("laurel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a parallel run, tests go out one by one, but those that share a fixture of their file go to one process.

    The slow ones begin first: whoever gets one last would keep everybody waiting.
    """
    for item in items:
        shared = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]  # there is no public way
        if any(definition.scope == "module" for definitions in shared for definition in definitions):
            item.add_marker(pytest.mark.xdist_group(item.location[0]))
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a broker that runs for this test session (one for each worker process of a parallel run)."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture
def prefix() -> str:
    """A prefix for this test's topics and groups, so that tests can share a broker."""
    return f"t{uuid.uuid4().hex[:12]}."

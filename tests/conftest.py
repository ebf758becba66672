"""What all tests share: one real Kafka broker, and topic names nobody else uses."""

import uuid
from collections.abc import Iterator

import pytest

from laurel.streams.broker import EmbeddedBroker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a broker that runs for this test session (one for each worker process of a parallel run)."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture
def prefix() -> str:
    """A prefix for this test's topics and groups, so that tests can share a broker."""
    return f"t{uuid.uuid4().hex[:12]}."

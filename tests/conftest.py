"""What all tests share: one real Kafka broker, and topic names nobody else uses."""

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from laurel.streams.broker import EmbeddedBroker

# No test fails for being slow on a busy machine; a failing example is printed in a form that can be run again.
settings.register_profile("laurel", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("laurel")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a broker that runs for this test session (one for each worker process of a parallel run)."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture
def prefix() -> str:
    """A prefix for this test's topics and groups, so that tests can share a broker."""
    return f"t{uuid.uuid4().hex[:12]}."

"""One settings object, read by every command and worker.

Each setting comes, in this order of precedence, from a command-line option, a `LAUREL_*` variable, or the TOML file
named by `LAUREL_SETTINGS` (default `laurel.toml` in the working folder, if there is one).
"""

import os
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from laurel.models.errors import LaurelError

SOURCES = {"engagements", "profiles"}  # topics that others write


class SettingsError(LaurelError):
    """A setting is missing or wrong; the message names it and says where it can be set."""


class Settings(BaseSettings):
    """Everything a deployment may choose. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="LAUREL_", extra="forbid", frozen=True)

    bootstrap: str = Field(default="", description="Kafka bootstrap servers, host:port[,host:port...]")
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", description="put before every topic name")
    sources_prefix: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="put before the names of the topics that others write, engagements and profiles, where it is another",
    )
    partitions: int = Field(default=4, ge=1, le=10_000, description="partitions of every keyed topic")
    replication: int = Field(default=1, ge=1, le=32, description="replicas of every topic")
    group: str = Field(default="laurel", min_length=1, description="consumer group of the workers")
    instance: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="name of this worker in its group, no other's: back within the session, it gets its partitions back and nobody else stops",
    )
    state: Path = Field(default=Path(".laurel/state"), description="folder of the RocksDB stores")
    networks: Path | None = Field(
        default=None, description="TOML file of networks and actions, added to the built-in ones"
    )
    models: Path | None = Field(
        default=None, description="TOML file of a score model, or folder of such files, added to the built-in ones"
    )
    ontology: Path | None = Field(
        default=None, description="YAML file of topics, their names and parents, in place of the built-in ones"
    )
    model: str = Field(default="v1", min_length=1, description="score model that days are asked to be closed by")
    shadows: str = Field(
        default="",
        description="score models that days are also computed by, in shadow, for a report: names, with commas between",
    )
    checkpoint_seconds: float = Field(default=0.5, gt=0, le=60, description="a checkpoint at most this often")
    checkpoint_rows: int = Field(default=200_000, ge=1, description="rows that make a checkpoint due at once")
    session_seconds: float = Field(
        default=20, ge=6, le=300, description="a worker not heard of for this long loses its partitions to others"
    )
    backlog_bytes: int = Field(
        default=64 << 20, ge=1 << 20, description="fetched but not yet applied, for each worker process"
    )
    metrics_port: int = Field(default=0, ge=0, le=65_535, description="Prometheus port; 0 takes a free one")
    metrics_host: str = Field(default="127.0.0.1", description="address the metrics are served on")
    close_after_minutes: int = Field(
        default=-1,
        ge=-1,
        le=1_440,
        description="close a day this long after its midnight (UTC); -1: never by the clock",
    )
    data_dir: Path | None = Field(default=None, description="folder of the real data sets")

    @field_validator("bootstrap")
    @classmethod
    def _servers(cls, value: str) -> str:
        for server in filter(None, value.split(",")):
            host, colon, port = server.rpartition(":")
            if not host or not colon or not port.isdigit():
                raise ValueError(f"{server!r} is not host:port")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then variables, then the file."""
        path = Path(os.environ.get("LAUREL_SETTINGS", "laurel.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)

    @cached_property
    def servers(self) -> str:
        """Bootstrap servers, or SettingsError if none were given."""
        if not self.bootstrap:
            raise SettingsError("no Kafka to talk to: give --bootstrap host:port or set LAUREL_BOOTSTRAP")
        return self.bootstrap

    @property
    def shadow_models(self) -> list[str]:
        """Names of the models in shadow, each once."""
        return list(dict.fromkeys(filter(None, (name.strip() for name in self.shadows.split(",")))))

    def topic(self, name: str) -> str:
        """The topic's name in Kafka: the prefix and the plain name."""
        others = name in SOURCES and self.sources_prefix is not None
        return f"{self.sources_prefix if others else self.topic_prefix}{name}"


def load(**options: Any) -> Settings:
    """Settings from options (those that are None are left out), variables and file.

    Raises SettingsError with one line for each wrong setting.
    """
    named = os.environ.get("LAUREL_SETTINGS")
    if named and not Path(named).is_file():
        raise SettingsError(f"LAUREL_SETTINGS names {named}, and there is no such file")
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        lines = [_sentence(problem["loc"], problem["msg"]) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{named or 'laurel.toml'} is not valid TOML: {error}") from None


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in location) or "settings"
    return f"setting {name} (LAUREL_{name.upper()}): {message[:1].lower()}{message[1:]}"

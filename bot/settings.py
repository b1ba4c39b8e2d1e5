"""Settings, read once from the environment: frozen and validated."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlparse

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SLACK_API = "https://slack.com/api/"

PRIVATE_NETWORKS = tuple(
    ip_network(one)
    for one in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Loopback, private and shared networks: outside connections come from one of them only through a proxy."""
_MEMBER = re.compile(r"(T[A-Z0-9]+:)?[UW][A-Z0-9]+", re.ASCII)
_CLIENT_ID = re.compile(r"\d{1,24}\.\d{1,24}", re.ASCII)
_RIGHT = {
    "PORT": "isn't a port; write a whole number from 0 to 65535",
    "CADENCE_WORKER_PORT": "isn't a port; write a whole number from 0 to 65535",
    "CADENCE_DRAIN": "isn't a number of seconds; write a whole number from 0 to 300",
    "CADENCE_THREADS": "isn't a number of threads; write a whole number from 2 to 200",
    "CADENCE_LOCK_TIMEOUT": "isn't a number of seconds; write one above 0, up to 60",
    "CADENCE_STATEMENT_TIMEOUT": "isn't a number of seconds; write one above 0, up to 600",
    "CADENCE_JOB_TIMEOUT": "isn't a number of seconds; write one from 1 to 86400",
    "CADENCE_CONNECTIONS": "isn't a number of connections; write a whole number from 20 to 100000",
    "CADENCE_CONNECTIONS_PER_ADDRESS": "isn't a number of connections; write a whole number from 0 to 100000",
    "CADENCE_PROXIES": "isn't a list of networks; write some such as 10.0.0.0/8,fd00::/8",
    "CADENCE_MESSAGES_A_MINUTE": "isn't a number of messages; write a whole number from 60 to 60000",
    "CADENCE_API_REQUESTS_A_MINUTE": "isn't a number of requests; write a whole number from 1 to 100000",
    "CADENCE_API_THREADS": "isn't a number of threads; write a whole number from 1 to 64",
    "CADENCE_LOG": "isn't a log level; write debug, info, warning or error",
    "CADENCE_LOG_FORMAT": "isn't a log format; write text or json",
}
"""The error for a value of the wrong type. It never shows the value, which may be a misplaced secret."""


class SettingsRefused(Exception):
    """Missing or invalid settings; one sentence each in `sentences`."""

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


class Settings(BaseSettings):
    """All settings from the environment. Secrets never show in logs or errors."""

    model_config = SettingsConfigDict(frozen=True, env_file=".env", extra="ignore", hide_input_in_errors=True)

    slack_bot_token: SecretStr | None = Field(
        None, description="The bot's token, `xoxb-…`. Unset: the built-in workspace."
    )
    slack_app_token: SecretStr | None = Field(
        None, description="The app-level token, `xapp-…`, for Socket Mode."
    )
    slack_signing_secret: SecretStr | None = Field(None, description="The signing secret, for HTTP.")
    slack_client_id: str | None = Field(
        None, description="The app's client ID, if several workspaces install the bot."
    )
    slack_client_secret: SecretStr | None = Field(None, description="The client secret that belongs to it.")
    slack_api_url: str = Field(SLACK_API, description="Any server that speaks Slack's Web API.")
    database_url: str | None = Field(
        None, repr=False, description="PostgreSQL or SQLite. Unset: SQLite in `CADENCE_DATA`."
    )
    host: str = Field("127.0.0.1", description="The address HTTP listens on; `0.0.0.0` for all.")
    port: int = Field(3000, ge=0, le=65535, description="The port HTTP listens on.")
    cadence_data: Path = Field(Path("var"), description="The folder for SQLite and the built-in workspace.")
    cadence_curators: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Members who can set up a workspace, separated by commas."
    )
    cadence_log: Literal["debug", "info", "warning", "error"] = Field("info", description="The log level.")
    cadence_log_format: Literal["text", "json"] = Field("text", description="How log lines are written.")
    cadence_threads: int = Field(16, ge=2, le=200, description="Requests served at the same time.")
    cadence_worker_port: int | None = Field(
        None, ge=0, le=65535, description="The port of `cadence worker` for health and metrics; unset: none."
    )
    cadence_drain: int = Field(
        0, ge=0, le=300, description="Seconds that `cadence web` keeps answering after it's asked to stop."
    )

    cadence_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Host names allowed for `/readyz` and `/metrics`, separated by commas."
    )
    cadence_lock_timeout: float = Field(
        2,
        gt=0,
        le=60,
        description="Seconds that a person's request waits for a row or file others are writing.",
    )
    cadence_statement_timeout: float = Field(
        5, gt=0, le=600, description="Seconds that one statement of such a request takes on PostgreSQL."
    )
    cadence_job_timeout: float = Field(
        600,
        ge=1,
        le=86_400,
        description="Seconds that one statement of an export, a digest or planning takes.",
    )
    cadence_connections: int = Field(
        1000, ge=20, le=100_000, description="HTTP connections at the same time, as far as open files allow."
    )
    cadence_connections_per_address: int = Field(
        100, ge=0, le=100_000, description="HTTP connections from one address; 0 for no limit."
    )
    cadence_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        PRIVATE_NETWORKS,
        description="Proxy networks, separated by commas. They are exempt from that limit and from the one for "
        "requests without a valid token.",
    )
    cadence_messages_a_minute: int = Field(
        500, ge=60, le=60_000, description="Most messages a minute in one workspace."
    )

    cadence_public_url: str | None = Field(
        None,
        description="The address at which tools and browsers reach this bot, such as https://cadence.example.com.",
    )
    cadence_api_requests_a_minute: int = Field(
        120, ge=1, le=100_000, description="API requests a minute with one token, in each process."
    )
    cadence_api_threads: int = Field(
        4, ge=1, le=64, description="API requests carried out at the same time, apart from Slack's."
    )

    @field_validator(
        "slack_bot_token",
        "slack_app_token",
        "slack_signing_secret",
        "slack_client_id",
        "slack_client_secret",
        "database_url",
        "cadence_worker_port",
        "cadence_public_url",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_client_secret")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        plain = value.get_secret_value().strip() if value is not None else ""
        if not plain.isascii() or not plain.isprintable() or " " in plain:
            raise ValueError("contains a space or another character that doesn't belong in it; copy it again")
        return SecretStr(plain) if plain else None

    @field_validator("cadence_curators", "cadence_proxies", "cadence_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("cadence_curators")
    @classmethod
    def _members(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not _MEMBER.fullmatch(one):
                raise ValueError(
                    f"contains {one}, which isn't a member ID; write U01234567 or T01234567:U01234567"
                )
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        if urlparse(value).scheme not in {"http", "https"} or not urlparse(value).netloc:
            raise ValueError("isn't a web address; write one such as https://slack.com/api/")
        return value if value.endswith("/") else value + "/"

    @field_validator("cadence_public_url")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        parts = urlparse(value or "http://unset")
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
            raise ValueError("isn't a web address; write one such as https://cadence.example.com")
        return value.rstrip("/") if value else None

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:", "postgres:", "postgresql")):
            raise ValueError(
                "is neither SQLite nor PostgreSQL; write one such as postgresql://user@host/cadence"
            )
        return value

    @model_validator(mode="after")
    def _tokens(self) -> "Settings":
        for name, token, prefix in (
            ("SLACK_BOT_TOKEN", self.slack_bot_token, "xoxb-"),
            ("SLACK_APP_TOKEN", self.slack_app_token, "xapp-"),
        ):
            real = token is not None and self.slack_api_url == SLACK_API
            if token is not None and real and not token.get_secret_value().startswith(prefix):
                raise ValueError(f"{name} isn't the right kind of token: it starts with `{prefix}`.")
        if (self.slack_client_id is None) != (self.slack_client_secret is None):
            raise ValueError(
                "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both, or neither. "
                "They are on the app's page, under “Basic Information”."
            )
        if self.slack_client_id is not None and not _CLIENT_ID.fullmatch(self.slack_client_id):
            raise ValueError(
                "SLACK_CLIENT_ID isn't a client ID: it is two numbers with a point between them. "
                "It is on the app's page, under “Basic Information”."
            )
        if self.several:
            self._require_workspaces()
        elif self.slack_bot_token is None and (self.slack_app_token or self.slack_signing_secret):
            raise ValueError(
                "SLACK_BOT_TOKEN is missing: the app-level token and the signing secret don't work without it. "
                "It is on the app's page, under “OAuth & Permissions”."
            )
        return self

    def _require_workspaces(self) -> None:
        """Require workspaces in CADENCE_CURATORS: the same member ID may be another person in another
        workspace."""
        alone = [one for one in self.cadence_curators if ":" not in one]
        if alone:
            raise ValueError(
                f"CADENCE_CURATORS names {alone[0]} without a workspace. If several workspaces install the bot, "
                f"write T01234567:{alone[0]}."
            )

    @property
    def several(self) -> bool:
        """Whether several workspaces install the bot; a bot token takes precedence."""
        return self.slack_bot_token is None and self.slack_client_id is not None

    @property
    def embedded(self) -> bool:
        """Whether the bot runs in its built-in workspace."""
        return self.slack_bot_token is None and self.slack_client_id is None

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.cadence_data / 'cadence.db'}"


def default_settings() -> Settings:
    """Every setting at its default, whatever the environment says, so that a rehearsal is the same
    everywhere."""
    return Settings.model_construct()


def load_settings(**overrides: object) -> Settings:
    """Read the settings.

    Raises:
        SettingsRefused: one sentence for each missing or invalid one.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        raise SettingsRefused(["The .env file is not UTF-8 text. Save it as UTF-8."]) from None
    except ValidationError as wrong:
        sentences = []
        for error in wrong.errors():
            name = str(error["loc"][0]).upper() if error["loc"] else ""
            message = error["msg"].removeprefix("Value error, ")
            if error["type"] != "value_error":
                message = _RIGHT.get(name, "can't be read")
            sentences.append(f"{name} {message}." if name else message)
        raise SettingsRefused([one.replace("..", ".") for one in sentences]) from None

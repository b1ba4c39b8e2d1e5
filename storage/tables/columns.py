"""Column types that the tables share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum
from sqlmodel import Field


def choice(kind: type[StrEnum], *, nullable: bool = False, **options: Any) -> Any:
    """A column that stores an enum by its value (SQLModel would store the member's name)."""
    return Field(
        sa_type=Enum(
            kind,
            values_callable=lambda members: [member.value for member in members],
            native_enum=False,
            create_constraint=False,
            length=24,
        ),
        nullable=nullable,
        **options,
    )


def document(**options: Any) -> Any:
    """A JSON column; a stored value is replaced as a whole, never changed in place."""
    return Field(sa_type=JSON, default_factory=dict, **options)


def without_zone(moment: datetime) -> datetime:
    """An instant as Slack's SDK stores it: UTC, but naive."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def with_zone(moment: datetime) -> datetime:
    """The inverse of `without_zone`."""
    return moment.replace(tzinfo=UTC)

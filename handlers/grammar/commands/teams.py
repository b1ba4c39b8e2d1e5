"""Teams."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTeam(Command):
    """`/cadence team create`: the form, with what was typed in it. `team` is the slug made of the title."""

    team: str | None = None
    title: str | None = None
    channel: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTeam(Command):
    """`/cadence team join`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveTeam(Command):
    """`/cadence team leave`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMembers(Command):
    """`/cadence team members`."""

    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamHolidays(Command):
    """`/cadence team holidays`. `country` is what was typed, in capitals; None to look only."""

    team: str | None = None
    country: str | None = None

"""Versions of playbooks, and the registry."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPlaybook(Command):
    """`/cadence playbook publish`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisePlaybook(Command):
    """`/cadence playbook revise`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffPlaybook(Command):
    """`/cadence playbook diff`. Numbers of published versions; None for the newest draft, or the one before."""

    playbook: str | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlaybook(Command):
    """`/cadence playbook move`. `to` is `v2` or `draft`."""

    playbook: str | None = None
    to: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirePlaybook(Command):
    """`/cadence playbook retire`."""

    playbook: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Command):
    """`/cadence registry`. `function` is one of sales, support, finance, engineering, other."""

    function: str | None = None

"""Standards: the rubric of a step."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric(Command):
    """`/cadence rubric`: a graded sample. Opens the form when the step or its numbers are left out."""

    playbook: str | None = None
    step: str | None = None
    samples: int | None = None
    passes: int | None = None
    risky: int | None = None
    note: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseRubric(Command):
    """`/cadence rubric … revise`: what changed in a step's rubric."""

    step: str
    playbook: str | None = None
    change: str | None = None
    team: str | None = None

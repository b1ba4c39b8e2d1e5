"""The trail for a person: which entries they can read, and what each is about."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    is_curator,
    may_see,
    require_workspace,
    visible_adoptions,
    zone_of,
)
from cadence.flows.exceptions import WITHIN as UNDO_WITHIN
from cadence.flows.history.trace_words import Words, told, verb
from cadence.mrkdwn import code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from cadence.rules.calendar import instant
from cadence.rules.sight import Fact
from storage.queries import cycles, exceptions, people, playbooks, promotions, rubrics, standards, trail
from storage.queries.trail import Scope
from storage.tables import TrailEntry
from storage.work import UnitOfWork
from templates.contexts.history import Trace, TraceRow
from templates.filters import day

PAGE = 10
PRIVATE: Final = frozenset({"check-in", "check-in-corrected", "drift-reported", "nudged-again"})
"""Entries that reveal who has answered: a person's own are shown to them, all to owners and curators."""
HIDDEN: Final = frozenset({"window-opened", "profiles-changed"})
"""Entries for judging again and for planning; the change that opened a window is a separate entry."""
_SURFACES: Final = {
    "rule": "by rule",
    "clock": "by schedule",
    "cli": "command line",
    "api": "API",
    "mcp": "assistant",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The requested part of the trail. `before` is the id of the last entry already shown."""

    playbook: str | None = None
    step: str | None = None
    team: str | None = None
    since: date | None = None
    before: int | None = None


def trace(uow: UnitOfWork, asked: Asked) -> Trace:
    """A page of the trail, newest first, with the entries that the caller can read.

    Curators read everything, owners their playbooks' entries, members those about their teams' steps and
    cycles, but among check-ins only their own.

    Raises:
        Unknown: no such playbook, team or step; the nearest is named.
    """
    with uow.read():
        workspace = require_workspace(uow)
        zone = zone_of(uow, workspace, uow.actor.member)
        runs = _runs(uow, asked)
        scope = _scope(uow, asked, runs)
        found = trail.page(
            uow,
            scope=scope,
            private=PRIVATE,
            hidden=HIDDEN,
            before=asked.before,
            since=instant(asked.since, time.min, zone) if asked.since else None,
            limit=PAGE + 1,
        )
        names = _Names(uow, adoptions_by_id(uow), zone)
        return Trace(
            rows=tuple(_row(one, names, zone) for one in found[:PAGE]),
            playbook=runs[0].playbook.title if asked.playbook and runs else None,
            step=asked.step,
            since=asked.since,
            older=_value(asked, found[PAGE - 1].id or 0) if len(found) > PAGE else None,
            undo=_undo(uow, runs) if asked.before is None else None,
        )


def _undo(uow: UnitOfWork, runs: list[AdoptionView]) -> str | None:
    """The caller's newest shown exception that they can still undo."""
    last = exceptions.last_exception_by(uow, member=uow.actor.member)
    if (
        last is None
        or uow.now - last.logged_at > UNDO_WITHIN
        or last.adoption_id not in {view.id for view in runs}
    ):
        return None
    return str(last.id)


def _value(asked: Asked, before: int) -> str:
    since = asked.since.isoformat() if asked.since else ""
    return "|".join((str(before), asked.playbook or "", asked.step or "", asked.team or "", since))


def read_value(value: str) -> Asked | None:
    """Parse the value of [Older]; None if it is something else."""
    parts = value.split("|")
    if len(parts) != 5 or not (parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) < 10):
        return None
    try:
        since = date.fromisoformat(parts[4]) if parts[4] else None
    except ValueError:
        return None
    return Asked(
        before=int(parts[0]),
        playbook=parts[1] or None,
        step=parts[2] or None,
        team=parts[3] or None,
        since=since,
    )


def adoptions_by_id(uow: UnitOfWork) -> dict[int, AdoptionView]:
    """Every adoption of the workspace, to name what an entry is about."""
    return {view.id: view for view in adoption_views(uow)}


def _runs(uow: UnitOfWork, asked: Asked) -> list[AdoptionView]:
    runs = visible_adoptions(uow)
    if asked.playbook is not None:
        runs = _only(runs, asked.playbook, [view.playbook.slug for view in runs], "playbook")
    if asked.team is not None:
        runs = _only(runs, asked.team, [view.team.slug for view in runs], "team")
    if asked.step is not None:
        keys = {step.key for view in runs for step in view.spec.steps}
        if asked.step not in keys:
            raise _no_such("step", asked.step, keys)
    return runs


def _only(runs: list[AdoptionView], slug: str, slugs: list[str], kind: str) -> list[AdoptionView]:
    found = [view for view, one in zip(runs, slugs, strict=True) if one == slug]
    if not found:
        raise _no_such(kind, slug, slugs)
    return found


def _no_such(kind: str, slug: str, known: Any) -> Unknown:
    near = nearest(slug, sorted(set(known)))
    hint = say(" Did you mean {near}?", near=code(near)) if near else ""
    return Unknown(
        say("There's no {kind} {slug} in your trail.{hint}", kind=kind, slug=code(slug[:60]), hint=hint),
        field=kind,
        typed=slug,
        near=near,
    )


def _scope(uow: UnitOfWork, asked: Asked, runs: list[AdoptionView]) -> Scope:
    curator = is_curator(uow)
    whole = tuple(view.id for view in runs if may_see(uow, view, Fact.CHECK_INS))
    owned = {view.playbook.slug for view in runs if view.id in whole}
    if not asked.playbook and not asked.team:
        rows = playbooks.playbooks(uow)
        owned |= {row.slug for row in rows if row.owner == uow.actor.member}
    return Scope(
        member=uow.actor.member,
        everything=curator,
        whole=whole,
        shared=tuple(view.id for view in runs if view.id not in whole),
        playbooks=tuple(sorted(owned)),
        step=asked.step,
        filtered=asked.playbook is not None or asked.team is not None,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """Names for ids."""

    uow: UnitOfWork
    runs: dict[int, AdoptionView]
    zone: ZoneInfo

    def of(self, subject: str) -> str:
        """What an entry is about, in words."""
        noun, _, rest = subject.partition(":")
        ident, _, part = rest.partition("/")
        if noun == "adoption" and ident.isdecimal():
            return self._part(int(ident), part)
        if noun in ("verdict", "promotion", "cycle") and ident.isdecimal():
            return self._row(noun, int(ident))
        if noun == "audit":
            view, step = self._run(subject)
            return self._part(view.id, step) if view else "a spot check"
        if noun == "playbook":
            return next(
                (view.playbook.title for view in self.runs.values() if view.playbook.slug == rest), rest
            )
        if noun == "team":
            team = people.team_by_slug(self.uow, slug=rest)
            return team.title if team else rest
        if noun == "member":
            return mention(rest)
        return {"workspace": "the workspace"}.get(noun, rest)

    def words(self, subject: str) -> Words:
        """What is needed to describe an entry on a subject."""
        view, part = self._run(subject)
        if view is None:
            return Words(self.zone, team=self._team)
        rest = part.partition("/")[2] if part.startswith("week:") else ""
        kpi = view.spec.kpi
        units = {rail.name: rail.unit for rail in kpi.guardrails}
        steps = {step.key: step.title for step in view.spec.steps}
        return Words(self.zone, units.get(rest) if rest else kpi.unit, steps, self._team)

    def _run(self, subject: str) -> tuple[AdoptionView | None, str]:
        """The adoption that an entry is about, and the part of it."""
        noun, _, rest = subject.partition(":")
        ident, _, part = rest.partition("/")
        if not (ident.isascii() and ident.isdecimal()):
            return None, ""
        if noun == "adoption":
            return self.runs.get(int(ident)), part
        if noun == "cycle":
            cycle = cycles.cycle(self.uow, cycle_id=int(ident))
            return self.runs.get(cycle.adoption_id), ""
        if noun == "audit":
            audit = rubrics.audit(self.uow, audit_id=int(ident))
            return (self.runs.get(audit.adoption_id), audit.step) if audit else (None, "")
        return None, ""

    def _team(self, ident: int) -> str:
        rows = people.teams(self.uow)
        return next((row.title for row in rows if row.id == ident), "a deleted team")

    def _part(self, adoption_id: int, part: str) -> str:
        view = self.runs.get(adoption_id)
        if view is None:
            return part or "a playbook that no longer runs"
        where = f"{view.playbook.title} ({view.team.title})"
        first, _, rest = part.partition("/")
        if first.startswith("week:"):
            guardrail = f"{rest}, " if rest else ""
            return f"{guardrail}week of {_day_tracing(first.removeprefix('week:'))}, {where}"
        step = view.spec.step(first) if first else None
        return f"“{step.title if step else first}”, {where}" if first else where

    def _row(self, noun: str, ident: int) -> str:
        if noun == "cycle":
            cycle = cycles.cycle(self.uow, cycle_id=ident)
            return f"cycle {cycle.number}, {self._part(cycle.adoption_id, '')}"
        row = (
            standards.verdict(self.uow, verdict_id=ident)
            if noun == "verdict"
            else promotions.promotion(self.uow, promotion_id=ident)
        )
        return self._part(row.adoption_id, row.step) if row else noun


def _day_tracing(text: str) -> str:
    try:
        return day(text)
    except ValueError:
        return text


def _row(entry: TrailEntry, names: _Names, zone: ZoneInfo) -> TraceRow:
    was, became = told(entry.action, entry.before, entry.after, names.words(entry.subject))
    return TraceRow(
        at=entry.at.astimezone(zone),
        member=entry.member,
        surface=_SURFACES.get(entry.surface, entry.surface),
        what=verb(entry.action),
        about=names.of(entry.subject),
        was=was,
        became=became,
    )

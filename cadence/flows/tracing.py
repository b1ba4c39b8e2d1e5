"""The trail, readable: who did what, when, from where, and what was before and after (SPEC §9)."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator
from cadence.flows.people import zone_of
from cadence.flows.runs import TeamRun, require_workspace, team_runs, visible_runs
from cadence.flows.sight import may_see
from cadence.flows.trace_words import Words, told, verb
from cadence.flows.undoing import WITHIN as UNDO_WITHIN
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from cadence.rules.calendar import instant
from cadence.rules.sight import Fact
from storage import decisions, people, playbooks, reports, rubrics, trails
from storage.engine import Database
from storage.tables import TrailEntry
from storage.trails import Scope
from templates.contexts.standards import Trace, TraceRow
from templates.filters import day

PAGE = 10
PRIVATE: Final = frozenset({"check-in", "check-in-corrected", "drift-reported", "nudged-again"})
"""What tells who has answered, and so who hasn't: one's own is shown, everything to owners and curators."""
HIDDEN: Final = frozenset({"window-opened", "profiles-changed"})
"""Kept for judging again, and for planning; the change that opened a window is an entry of its own."""
_SURFACES: Final = {"rule": "the rule", "clock": "the clock", "cli": "the command line", "api": "the API"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the trail is asked for. `before` is the id of the last entry already shown."""

    playbook: str | None = None
    step: str | None = None
    team: str | None = None
    since: date | None = None
    before: int | None = None


def trace(db: Database, caller: Caller, asked: Asked, *, now: datetime) -> Trace:
    """A page of the trail, newest first, of what the caller may read.

    Curators read everything, owners their playbooks' entries, members what is about their teams' steps and
    cycles, but of check-ins only their own.

    Raises:
        Unknown: no such playbook, team or step; the nearest is named.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        zone = zone_of(session, workspace, caller.member)
        runs = _runs(session, caller, asked, now=now)
        scope = _scope(session, caller, asked, runs)
        found = trails.page(
            session,
            workspace_id=workspace.id,
            scope=scope,
            private=PRIVATE,
            hidden=HIDDEN,
            before=asked.before,
            since=instant(asked.since, time.min, zone) if asked.since else None,
            limit=PAGE + 1,
        )
        names = _Names(session, caller.workspace_id, runs_by_id(session, caller, now=now), zone)
        return Trace(
            rows=tuple(_row(one, names, zone) for one in found[:PAGE]),
            playbook=runs[0].playbook.title if asked.playbook and runs else None,
            step=asked.step,
            since=asked.since,
            older=_value(asked, found[PAGE - 1].id or 0) if len(found) > PAGE else None,
            undo=_undo(session, caller, runs, now=now) if asked.before is None else None,
        )


def _undo(session: Session, caller: Caller, runs: list[TeamRun], *, now: datetime) -> str | None:
    """The caller's last exception of what is shown, while they can take it back."""
    last = reports.last_exception_by(session, workspace_id=caller.workspace_id, member=caller.member)
    if last is None or now - last.logged_at > UNDO_WITHIN or last.adoption_id not in {run.id for run in runs}:
        return None
    return str(last.id)


def _value(asked: Asked, before: int) -> str:
    since = asked.since.isoformat() if asked.since else ""
    return "|".join((str(before), asked.playbook or "", asked.step or "", asked.team or "", since))


def read_value(value: str) -> Asked | None:
    """What [Older] carries; None when it is something else."""
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


def runs_by_id(session: Session, caller: Caller, *, now: datetime) -> dict[int, TeamRun]:
    """Every run of the workspace, to name what an entry is about."""
    workspace = require_workspace(session, caller.workspace_id)
    return {run.id: run for run in team_runs(session, workspace=workspace, now=now)}


def _runs(session: Session, caller: Caller, asked: Asked, *, now: datetime) -> list[TeamRun]:
    runs = visible_runs(session, caller, now=now)
    if asked.playbook is not None:
        runs = _only(runs, asked.playbook, [run.playbook.slug for run in runs], "playbook")
    if asked.team is not None:
        runs = _only(runs, asked.team, [run.team.slug for run in runs], "team")
    if asked.step is not None:
        keys = {step.key for run in runs for step in run.spec.steps}
        if asked.step not in keys:
            raise Unknown(_no_such("step", asked.step, keys), field="step")
    return runs


def _only(runs: list[TeamRun], slug: str, slugs: list[str], kind: str) -> list[TeamRun]:
    found = [run for run, one in zip(runs, slugs, strict=True) if one == slug]
    if not found:
        raise Unknown(_no_such(kind, slug, slugs), field=kind)
    return found


def _no_such(kind: str, slug: str, known: Any) -> Mrkdwn:
    near = nearest(slug, sorted(set(known)))
    hint = say(" Did you mean {near}?", near=code(near)) if near else ""
    return say("No {kind} {slug} that you have to do with.{hint}", kind=kind, slug=code(slug[:60]), hint=hint)


def _scope(session: Session, caller: Caller, asked: Asked, runs: list[TeamRun]) -> Scope:
    curator = is_curator(session, caller)
    whole = tuple(run.id for run in runs if may_see(session, caller, run, Fact.CHECK_INS))
    owned = {run.playbook.slug for run in runs if run.id in whole}
    if not asked.playbook and not asked.team:
        rows = playbooks.playbooks(session, workspace_id=caller.workspace_id)
        owned |= {row.slug for row in rows if row.owner == caller.member}
    return Scope(
        member=caller.member,
        everything=curator,
        whole=whole,
        shared=tuple(run.id for run in runs if run.id not in whole),
        playbooks=tuple(sorted(owned)),
        step=asked.step,
        filtered=asked.playbook is not None or asked.team is not None,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """What ids stand for."""

    session: Session
    workspace_id: str
    runs: dict[int, TeamRun]
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
            run, step = self._run(subject)
            return self._part(run.id, step) if run else "a spot audit"
        if noun == "playbook":
            return next((run.playbook.title for run in self.runs.values() if run.playbook.slug == rest), rest)
        if noun == "team":
            team = people.team_by_slug(self.session, workspace_id=self.workspace_id, slug=rest)
            return team.title if team else rest
        if noun == "member":
            return mention(rest)
        return {"workspace": "the workspace"}.get(noun, rest)

    def words(self, subject: str) -> Words:
        """What the words of an entry on a subject need to know."""
        run, part = self._run(subject)
        if run is None:
            return Words(self.zone, team=self._team)
        rest = part.partition("/")[2] if part.startswith("week:") else ""
        kpi = run.spec.kpi
        units = {rail.name: rail.unit for rail in kpi.guardrails}
        steps = {step.key: step.title for step in run.spec.steps}
        return Words(self.zone, units.get(rest) if rest else kpi.unit, steps, self._team)

    def _run(self, subject: str) -> tuple[TeamRun | None, str]:
        """The run that an entry is about, and the part of it."""
        noun, _, rest = subject.partition(":")
        ident, _, part = rest.partition("/")
        if not (ident.isascii() and ident.isdecimal()):
            return None, ""
        session, workspace_id = self.session, self.workspace_id
        if noun == "adoption":
            return self.runs.get(int(ident)), part
        if noun == "cycle":
            cycle = playbooks.cycle(session, workspace_id=workspace_id, cycle_id=int(ident))
            return self.runs.get(cycle.adoption_id), ""
        if noun == "audit":
            audit = rubrics.audit(session, workspace_id=workspace_id, audit_id=int(ident))
            return (self.runs.get(audit.adoption_id), audit.step) if audit else (None, "")
        return None, ""

    def _team(self, ident: int) -> str:
        rows = people.teams(self.session, workspace_id=self.workspace_id)
        return next((row.title for row in rows if row.id == ident), "a team no longer here")

    def _part(self, adoption_id: int, part: str) -> str:
        run = self.runs.get(adoption_id)
        if run is None:
            return part or "a playbook no longer run"
        where = f"{run.playbook.title} ({run.team.title})"
        first, _, rest = part.partition("/")
        if first.startswith("week:"):
            guardrail = f"{rest}, " if rest else ""
            return f"{guardrail}week of {_day(first.removeprefix('week:'))}, {where}"
        step = run.spec.step(first) if first else None
        return f"{step.title if step else first}, {where}" if first else where

    def _row(self, noun: str, ident: int) -> str:
        session, workspace_id = self.session, self.workspace_id
        if noun == "cycle":
            cycle = playbooks.cycle(session, workspace_id=workspace_id, cycle_id=ident)
            return f"cycle {cycle.number}, {self._part(cycle.adoption_id, '')}"
        row = (
            decisions.verdict(session, workspace_id=workspace_id, verdict_id=ident)
            if noun == "verdict"
            else rubrics.promotion(session, workspace_id=workspace_id, promotion_id=ident)
        )
        return self._part(row.adoption_id, row.step) if row else noun


def _day(text: str) -> str:
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

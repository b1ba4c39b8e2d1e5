"""Whatever an entry of the trail kept, as words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.actor import Actor
from cadence.flows.core import (
    TeamRun,
    is_curator,
    may_see,
    require_workspace,
    team_runs,
    visible_runs,
    zone_of,
)
from cadence.flows.exceptions import WITHIN as UNDO_WITHIN
from cadence.mrkdwn import Mrkdwn, code, escape, mention, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from cadence.rules.calendar import instant
from cadence.rules.percent import percent_of
from cadence.rules.sight import Fact
from storage import trail
from storage.queries import decisions, people, playbooks, reports, rubrics
from storage.tables import TrailEntry
from storage.trail import Scope
from storage.work import UnitOfWork
from templates import filters
from templates.contexts.standards import Trace, TraceRow
from templates.filters import day

_MODES: Final = frozenset(filters.MODE_WORDS)
_NEVER_SHOWN: Final = frozenset(
    {"id", "lesson", "adoption", "cycle", "setup", "handoff", "seed", "after_exception", "after_check_in"}
)
"""Ids and the like: kept for judging again, and no words for anybody."""


def mode_word(mode: str) -> str:
    """A mode as people write it; anything else as it is."""
    return filters.mode(mode) if mode in _MODES else mode


def plain(value: Any) -> str:
    """Anything an entry kept, as words: `rule strict, time zone UTC`. What is empty is left out."""
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case dict():
            told = {str(name): plain(one) for name, one in value.items() if name not in _NEVER_SHOWN}
            return ", ".join(f"{_named(name)} {one}" for name, one in told.items() if one)
        case list():
            return ", ".join(filter(None, map(plain, value)))
        case float():
            return f"{value:g}"
    text = str(value)
    if text in _MODES:
        return mode_word(text)
    return _day(text) or text


def _named(name: str) -> str:
    return {"timezone": "time zone"}.get(name, name.replace("_", " "))


def _day(text: str) -> str:
    if len(text) != len("2026-03-02"):
        return ""
    try:
        return filters.day(text)
    except ValueError:
        return ""


_ATTESTED: Final = {"as-declared": "ran as declared", "drifted": "drifted", "not-run": "didn't run"}
_DECISIONS: Final = {"hold": "within the cap", "watch": "watched", "demote": "demoted"}
_LINES: Final = {
    "critical": "for a critical exception",
    "evidence": "on the evidence",
    "cap": "over the cap at the close",
}
_CAUSES: Final = {
    "check-in": "when an answer came in",
    "close": "when the cycle closed",
    "exception": "after an exception",
    "undo": "after an exception was taken back",
    "member": "after somebody was set away",
    "mode-change": "after a change of mode",
    "week": "when a week began",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of an entry need to know.

    Args:
        zone: the reader's.
        unit: of the number that is meant, if one is.
        steps: titles by key.
        team: a team's title by its id.
    """

    zone: ZoneInfo
    unit: str | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    team: Callable[[int], str] = str


Told = Callable[[Any, Words], str]


def _joined(*parts: str | None) -> Mrkdwn:
    return Mrkdwn(", ".join(escape(part) for part in parts if part))


def _quoted(text: object) -> str:
    return f"“{text}”" if text else ""


def _number(value: Any, words: Words) -> str:
    return filters.amount(float(value), words.unit) if words.unit else plain(value)


def _step(key: str, words: Words) -> str:
    return words.steps.get(key, key)


def _check_in(data: Any, words: Words) -> str:
    drifts = "; ".join(
        f"{_step(key, words)} was {mode_word(mode)}" for key, mode in data.get("drifts", {}).items()
    )
    runs, complete = data["runs"], data.get("complete_inputs")
    return _joined(
        _ATTESTED[data["attestation"]] + (f" ({drifts})" if drifts else ""),
        filters.plural(runs, "run") if data["attestation"] != "not-run" else "",
        f"inputs complete in {complete}" if complete is not None else "",
        _quoted(data.get("note")),
    )


def _exception(data: Any, _words: Words) -> str:
    link = say(" {link}", link=filters.link(data["link"])) if data.get("link") else ""
    return say(
        "{critical}{reason}{link}",
        critical="critical: " if data.get("critical") else "",
        reason=_quoted(data["reason"]),
        link=link,
    )


def _verdict(data: Any, _words: Words) -> str:
    cause = str(data["cause"]).partition(":")[0]
    return _joined(_DECISIONS[data["decision"]], _LINES.get(data["line"]), _CAUSES.get(cause))


def _declared(data: Any, _words: Words) -> str:
    if isinstance(data, str):
        return mode_word(data)
    reason = _quoted(data.get("reason"))
    return f"{mode_word(data['mode'])}, because {reason}" if reason else mode_word(data["mode"])


def _drift(data: Any, _words: Words) -> str:
    total = data["attested"] + data.get("awaited", 0)
    counts = f"{data['drifted']} of {filters.plural(total, 'attestation')}"
    share = percent_of(data["drifted"], total, limit=data.get("limit_share"))
    used = mode_word(data["used"]) if data.get("used") else "otherwise"
    return f"run {used}, declared {mode_word(data['declared'])}: {counts}{f' ({share})' if share else ''}"


def _members(data: Any, _words: Words) -> str:
    return Mrkdwn(", ".join(mention(str(member)) for member in data))


def _sample(data: Any, _words: Words) -> str:
    passed = f"{data['passes']} of {filters.plural(data['samples'], 'sample')} passed"
    return _joined(passed, f"{data['risky']} risky", _quoted(data.get("note")))


def _revised(data: Any, _words: Words) -> str:
    return _joined(f"rubric revision {data['revision']}", _quoted(data.get("change")))


def _cycle_started(data: Any, _words: Words) -> str:
    return f"from {filters.day(data['starts_on'])}, on revision {data['revision']}"


def _cycle_closed(data: Any, words: Words) -> str:
    value = data.get("kpi_value")
    return _joined(data["result"], _number(value, words) if value is not None else "no number")


def _away(data: Any, _words: Words) -> str:
    if "until" not in data:
        return f"from {filters.day(data['from'])}"
    return filters.date_range(date.fromisoformat(data["from"]), date.fromisoformat(data["until"]))


def _snoozed(data: Any, words: Words) -> str:
    until = datetime.fromisoformat(data["until"]).astimezone(words.zone)
    return f"until {filters.day(until)} {filters.clock(until)}"


def _setup_done(data: Any, _words: Words) -> str:
    by_run = "by the first attested run" if data.get("ended") == "first-run" else ""
    minutes = data.get("minutes")
    return _joined(f"after {minutes:,} min" if minutes is not None else "", by_run)


def _audit(data: Any, words: Words) -> str:
    drawn = filters.plural(len(data["drawn"]), "run")
    return f"{drawn} of {_step(data['step'], words)}, week of {filters.day(data['week'])}"


def _promotion(data: Any, words: Words) -> str:
    if not isinstance(data, dict):
        return "open"
    return _joined(str(data.get("decision") or data.get("state") or ""), _reason(data, words))


def _reason(data: Any, _words: Words) -> str:
    return _quoted(data.get("reason") or data.get("why"))


def _text(data: Any, _words: Words) -> str:
    return _quoted(data.get("text") if isinstance(data, dict) else data)


def _imported(data: Any, _words: Words) -> str:
    return _joined(f"revision {data['revision']}", "; ".join(data.get("changes", ())))


def _published(data: Any, words: Words) -> str:
    number = f"v{data['number']}" if data.get("number") else ""
    passed = len(data.get("passed_over") or ())
    return _joined(
        data["state"],
        number,
        f"{filters.plural(passed, 'thing')} passed over" if passed else "",
        _reason(data, words),
    )


def _moved(data: Any, _words: Words) -> str:
    if "name" not in data:
        return ""
    return _joined(f"to {data['name']}", "from the next cycle" if data.get("from_next_cycle") else "")


def _adopted(data: Any, _words: Words) -> str:
    champion = data.get("champion")
    return _joined(
        str(data.get("version", "")), say("champion {who}", who=mention(champion)) if champion else ""
    )


def _next_team(data: Any, words: Words) -> str:
    return words.team(int(data["team"])) if data.get("team") else _joined("none", _reason(data, words))


def _handoff(data: Any, words: Words) -> str:
    if not isinstance(data, dict):
        return ""
    lacking = ", ".join(data.get("lacking") or ())
    return _joined(
        f"to {data['to']}" if data.get("to") else "",
        _quoted(data.get("what")),
        f"lacking: {lacking}" if lacking else "",
        _reason(data, words),
    )


def _nothing(_data: Any, _words: Words) -> str:
    return ""


def _plain(data: Any, _words: Words) -> str:
    return plain(data)


ACTIONS: Final[Mapping[str, tuple[str, Told]]] = {
    "check-in": ("answered the check-in", _check_in),
    "check-in-corrected": ("corrected a check-in", _check_in),
    "reading": ("reported the number", _number),
    "reading-corrected": ("corrected the number", _number),
    "exception": ("logged an exception", _exception),
    "exception-withdrawn": ("took back an exception", _exception),
    "verdict": ("judged", _verdict),
    "demotion": ("demoted", _declared),
    "promotion": ("promoted", _declared),
    "taken-back": ("took back the demotion", _declared),
    "declaration": ("declared the mode", _declared),
    "window-opened": ("started the count again", _plain),
    "drift": ("found drift", _drift),
    "drift-reported": ("found drift that one person reports", _drift),
    "drift-withdrawn": ("withdrew the drift", _nothing),
    "recommitted": ("recommitted", _text),
    "watch-answered": ("said what changes", _text),
    "nudged-again": ("nudged the missing once more", _members),
    "rubric-result": ("graded a sample", _sample),
    "rubric-revised": ("revised the rubric", _revised),
    "audit-drawn": ("drew runs to be graded", _audit),
    "promotion-judged": ("looked at a promotion", _promotion),
    "promotion-approved": ("approved the promotion", _promotion),
    "promotion-declined": ("declined the promotion", _promotion),
    "promotion-lapsed": ("let the promotion lapse", _promotion),
    "promotion-reopened": ("proposed the promotion again", _promotion),
    "cycle-started": ("started a cycle", _cycle_started),
    "cycle-closed": ("closed the cycle", _cycle_closed),
    "cycle-judged-again": ("judged the closed cycle again", _cycle_closed),
    "next-team": ("named the next team", _next_team),
    "submitted": ("submitted to the registry", _nothing),
    "paused": ("paused", _nothing),
    "resumed": ("went on", _nothing),
    "capacity-overridden": ("let a further cycle start", _reason),
    "adopted": ("adopted", _adopted),
    "setup-started": ("started the setup", _nothing),
    "checklist-ticked": ("ticked an item", _text),
    "checklist-unticked": ("unticked an item", _text),
    "setup-done": ("finished the setup", _setup_done),
    "team-moved": ("moved the team", _moved),
    "playbook-imported": ("saved the playbook", _imported),
    "playbook-published": ("published the playbook", _published),
    "playbook-retired": ("retired the playbook", _published),
    "lesson-learned": ("kept a lesson", _text),
    "handoff-sent": ("handed over", _handoff),
    "handoff-accepted": ("accepted the handoff", _handoff),
    "handoff-failed": ("couldn't use the handoff", _handoff),
    "handoff-done": ("finished the handoff", _handoff),
    "handoff-withdrawn": ("withdrew the handoff", _handoff),
    "team-created": ("made the team", _plain),
    "team-changed": ("changed the team", _plain),
    "join-asked": ("asked to join the team", _plain),
    "join-answered": ("decided who joins the team", _plain),
    "settings": ("changed the settings", _plain),
    "adoption-settings": ("changed the settings", _plain),
    "hours-set": ("changed the hours", _plain),
    "profiles-changed": ("heard of people from Slack", _plain),
    "away": ("set away", _away),
    "back": ("is back", _away),
    "snoozed": ("snoozed the check-in", _snoozed),
    "muted": ("turned reminders off", _nothing),
    "unmuted": ("turned reminders on", _nothing),
    "exported": ("exported what was recorded", _nothing),
    "installed": ("installed the bot", _nothing),
    "uninstalled": ("uninstalled the bot", _nothing),
}
"""What is done, and how what an entry kept is said, by action."""


def verb(action: str) -> str:
    """What somebody did: `answered the check-in`."""
    return ACTIONS[action][0] if action in ACTIONS else action.replace("-", " ")


def told(action: str, before: Any, after: Any, words: Words) -> tuple[str, str]:
    """What stood before and what stands since, in words; empty where there was nothing.

    Of settings and the like only what changed is told. What another version wrote down otherwise is told plainly.
    """
    if isinstance(before, dict) and isinstance(after, dict) and _of(action) is _plain:
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before, after = ({name: one.get(name) for name in names} for one in (before, after))
    return _said(action, before, words), _said(action, after, words)


def _of(action: str) -> Told:
    return ACTIONS[action][1] if action in ACTIONS else _plain


def _said(action: str, data: Any, words: Words) -> str:
    if data is None:
        return ""
    try:
        return _of(action)(data, words)
    except (AttributeError, KeyError, TypeError, ValueError):
        return plain(data)


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


def trace(uow: UnitOfWork, asked: Asked) -> Trace:
    """A page of the trail, newest first, of what the caller may read.

    Curators read everything, owners their playbooks' entries, members what is about their teams' steps and
    cycles, but of check-ins only their own.

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
        names = _Names(uow.session, uow.actor.workspace_id, runs_by_id(uow), zone)
        return Trace(
            rows=tuple(_row(one, names, zone) for one in found[:PAGE]),
            playbook=runs[0].playbook.title if asked.playbook and runs else None,
            step=asked.step,
            since=asked.since,
            older=_value(asked, found[PAGE - 1].id or 0) if len(found) > PAGE else None,
            undo=_undo(uow, runs) if asked.before is None else None,
        )


def _undo(uow: UnitOfWork, runs: list[TeamRun]) -> str | None:
    """The caller's last exception of what is shown, while they can take it back."""
    last = reports.last_exception_by(uow, member=uow.actor.member)
    if (
        last is None
        or uow.now - last.logged_at > UNDO_WITHIN
        or last.adoption_id not in {run.id for run in runs}
    ):
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


def runs_by_id(uow: UnitOfWork) -> dict[int, TeamRun]:
    """Every run of the workspace, to name what an entry is about."""
    workspace = require_workspace(uow)
    return {run.id: run for run in team_runs(uow, workspace=workspace)}


def _runs(uow: UnitOfWork, asked: Asked) -> list[TeamRun]:
    runs = visible_runs(uow)
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


def _scope(uow: UnitOfWork, asked: Asked, runs: list[TeamRun]) -> Scope:
    curator = is_curator(uow)
    whole = tuple(run.id for run in runs if may_see(uow, run, Fact.CHECK_INS))
    owned = {run.playbook.slug for run in runs if run.id in whole}
    if not asked.playbook and not asked.team:
        rows = playbooks.playbooks(uow)
        owned |= {row.slug for row in rows if row.owner == uow.actor.member}
    return Scope(
        member=uow.actor.member,
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
            team = people.team_by_slug(
                UnitOfWork.around(self.session, Actor.system(self.workspace_id)), slug=rest
            )
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
            cycle = playbooks.cycle(
                UnitOfWork.around(session, Actor.system(workspace_id)), cycle_id=int(ident)
            )
            return self.runs.get(cycle.adoption_id), ""
        if noun == "audit":
            audit = rubrics.audit(UnitOfWork.around(session, Actor.system(workspace_id)), audit_id=int(ident))
            return (self.runs.get(audit.adoption_id), audit.step) if audit else (None, "")
        return None, ""

    def _team(self, ident: int) -> str:
        rows = people.teams(UnitOfWork.around(self.session, Actor.system(self.workspace_id)))
        return next((row.title for row in rows if row.id == ident), "a team no longer here")

    def _part(self, adoption_id: int, part: str) -> str:
        run = self.runs.get(adoption_id)
        if run is None:
            return part or "a playbook no longer run"
        where = f"{run.playbook.title} ({run.team.title})"
        first, _, rest = part.partition("/")
        if first.startswith("week:"):
            guardrail = f"{rest}, " if rest else ""
            return f"{guardrail}week of {_day_tracing(first.removeprefix('week:'))}, {where}"
        step = run.spec.step(first) if first else None
        return f"{step.title if step else first}, {where}" if first else where

    def _row(self, noun: str, ident: int) -> str:
        session, workspace_id = self.session, self.workspace_id
        if noun == "cycle":
            cycle = playbooks.cycle(UnitOfWork.around(session, Actor.system(workspace_id)), cycle_id=ident)
            return f"cycle {cycle.number}, {self._part(cycle.adoption_id, '')}"
        row = (
            decisions.verdict(UnitOfWork.around(session, Actor.system(workspace_id)), verdict_id=ident)
            if noun == "verdict"
            else rubrics.promotion(UnitOfWork.around(session, Actor.system(workspace_id)), promotion_id=ident)
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

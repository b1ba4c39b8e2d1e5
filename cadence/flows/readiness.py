"""What a playbook still lacks before it can be published (SPEC §2), each with the button that settles it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sqlmodel import Session

from cadence.documents import PlaybookSpec, playbook_from_data
from cadence.documents import package_gaps as file_gaps
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, escape, say
from cadence.refusals import Offer
from cadence.rules.kpi import Direction, Outcome, Unit, format_amount, meets
from cadence.rules.percent import set_share
from storage import playbooks, rubrics, versions
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    Playbook,
    PlaybookVersion,
    RubricResult,
    Setup,
    Team,
)
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing publishing needs and hasn't: what, in words with numbers, and the button that begins it.

    `kind` is `kpi`, `package`, `rubric` or `setup`. `next` says what settles it by itself: there's no button then.
    """

    kind: str
    text: Mrkdwn
    offer: Offer | None
    next: Mrkdwn | None = None

    @property
    def told(self) -> Mrkdwn:
        """What is missing, and what settles it by itself."""
        return self.text if self.next is None else say("{text}. {next}", text=self.text, next=self.next)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a revision can be published: it can when there is no gap."""

    version: PlaybookVersion
    spec: PlaybookSpec
    gaps: tuple[Gap, ...]


def package_gaps(session: Session, run: TeamRun) -> tuple[str, ...]:
    """What the package of a run lacks, as people read it: parts of the file, and a good enough rubric result."""
    rows = rubrics.calibration(session, workspace_id=run.workspace.id, adoption_id=run.id)
    lacks = rubric_gap(run.spec, _revisions(session, run.workspace.id, run.id), rows)
    return (*file_gaps(run.spec), *((lacks,) if lacks else ()))


def rubric_gap(
    spec: PlaybookSpec, revisions: Mapping[str, int], results: Sequence[RubricResult]
) -> str | None:
    """Why the graded samples don't show the rubric's threshold yet; None when they do.

    Of each step the samples graded by the rubric in force count, together: a single result at the threshold
    doesn't hide the others. Without a rubric in the file there is nothing to grade by, and that is said already.
    """
    if spec.rubric is None:
        return None
    counted: dict[str, tuple[int, int]] = {}
    for row in results:
        if spec.step(row.step) is None or row.revision != revisions.get(row.step, 1):
            continue
        passes, samples = counted.get(row.step, (0, 0))
        counted[row.step] = (passes + row.passes, samples + row.samples)
    counted = {step: count for step, count in counted.items() if count[1]}
    if not counted:
        return f"a rubric result at or above {set_share(spec.rubric.threshold)}"
    low = [
        f"{step}: {passes} of {samples} passed"
        for step, (passes, samples) in counted.items()
        if passes < spec.rubric.threshold * samples - 1e-9
    ]
    return (
        f"rubric results at or above {set_share(spec.rubric.threshold)} ({', '.join(low)})" if low else None
    )


def _revisions(session: Session, workspace_id: str, adoption_id: int) -> dict[str, int]:
    rows = playbooks.steps(session, workspace_id=workspace_id, adoption_id=adoption_id)
    return {step: row.rubric for step, row in rows.items()}


def readiness(session: Session, playbook: Playbook) -> Readiness:
    """What the newest revision of a playbook lacks, in the order of SPEC §2."""
    workspace_id, playbook_id = playbook.workspace_id, playbook.id or 0
    version = playbooks.newest_version(session, workspace_id=workspace_id, playbook_id=playbook_id)
    assert version is not None  # noqa: S101 - imported with its playbook
    spec = playbook_from_data(version.spec)
    teams = versions.adopters(session, workspace_id=workspace_id, playbook_id=playbook_id)
    found = (
        _kpi_gap(session, playbook, spec, teams),
        _file_gap(playbook, spec),
        _rubric_gap(session, playbook, spec, teams),
        _setup_gap(session, playbook, spec, teams),
    )
    return Readiness(version, spec, tuple(gap for gap in found if gap is not None))


Teams = Sequence[tuple[Adoption, Team]]


def _ids(teams: Teams) -> list[int]:
    return [adoption.id or 0 for adoption, _ in teams]


def _kpi_gap(session: Session, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """The target in enough closed cycles in a row, by one team."""
    workspace_id, needed = playbook.workspace_id, spec.scale_cycles
    rows = versions.cycles(session, workspace_id=workspace_id, adoption_ids=_ids(teams))
    cycles = [row for row in rows if row.state is CycleState.CLOSED]
    specs = {
        version_id: playbook_from_data(
            playbooks.version(session, workspace_id=workspace_id, version_id=version_id).spec
        )
        for version_id in {cycle.version_id for cycle in cycles}
    }
    best, whose, broken = 0, "", Mrkdwn()
    for adoption, team in teams:
        own = [cycle for cycle in cycles if cycle.adoption_id == adoption.id]
        held = sum(1 for _ in takewhile(lambda cycle: _held(cycle, specs[cycle.version_id], spec), own))
        past = _past_limit(own[held:needed], specs, spec)
        if held > best or (held == best and past and not broken):
            best, whose, broken = held, team.title, past
    if best >= needed:
        return None
    target = f"{spec.kpi.name} at its target of {format_amount(spec.kpi.target, spec.kpi.unit)}"
    so_far = f"{best} so far, in {whose}" if best else "none so far"
    text = say(
        "{target} in {needed} closed cycle{s} in a row: {so_far}{broken}",
        target=target,
        needed=needed,
        s="" if needed == 1 else "s",
        so_far=so_far,
        broken=say(". In {team}, {what}", team=whose, what=broken) if broken else "",
    )
    counts = _counts_next(rows, teams, first=whose)
    offer = Offer("Start another cycle", Action.START_CYCLE, playbook.slug)
    return Gap("kpi", text, None if counts else offer, counts)


def _past_limit(cycles: Sequence[Cycle], specs: Mapping[int, PlaybookSpec], now: PlaybookSpec) -> Mrkdwn:
    """The guardrails for which alone cycles aren't met, with their numbers; empty when it is the KPI itself."""
    found = [
        say(
            "{name} was past its limit in cycle {number} ({value}, limit {limit})",
            name=rail.name,
            number=cycle.number,
            value=format_amount(value, rail.unit),
            limit=format_amount(rail.limit, rail.unit),
        )
        for cycle in cycles
        if cycle.result == Outcome.NOT_MET and _reached(cycle, specs[cycle.version_id], now)
        for rail in specs[cycle.version_id].kpi.guardrails
        for value in [cycle.guardrails.get(rail.name)]
        if value is not None and not meets(value, rail.limit, Direction(rail.direction))
    ]
    return Mrkdwn(", ".join(found))


def _counts_next(rows: Sequence[Cycle], teams: Teams, *, first: str) -> Mrkdwn | None:
    """The cycle that is running or set, whose close counts next; the named team's before others'."""
    going_on = {adoption.id: team.title for adoption, team in teams if adoption.state is AdoptionState.ACTIVE}
    found = [row for row in rows if row.state is CycleState.RUNNING and row.adoption_id in going_on]
    if not found:
        return None
    row = min(found, key=lambda one: (going_on[one.adoption_id] != first, one.closes_on))
    return say(
        "The next to count is cycle {number} of {team}, when it closes on {day:%a %-d %b}",
        number=row.number,
        team=going_on[row.adoption_id],
        day=row.closes_on,
    )


def _held(cycle: Cycle, then: PlaybookSpec, now: PlaybookSpec) -> bool:
    """Whether a cycle met its own target and the one to be published, on the same number."""
    return cycle.result == Outcome.MET and _reached(cycle, then, now)


def _reached(cycle: Cycle, then: PlaybookSpec, now: PlaybookSpec) -> bool:
    """Whether a cycle's number is at the target to be published, and is the same number."""
    same = (then.kpi.name, then.kpi.unit, then.kpi.direction) == (
        now.kpi.name,
        now.kpi.unit,
        now.kpi.direction,
    )
    return (
        same
        and cycle.kpi_value is not None
        and meets(cycle.kpi_value, now.kpi.target, Direction(now.kpi.direction))
    )


def _file_gap(playbook: Playbook, spec: PlaybookSpec) -> Gap | None:
    lacking = file_gaps(spec)
    if not lacking:
        return None
    return Gap(
        "package",
        say("The package lacks {parts}", parts=", ".join(lacking)),
        Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug),
    )


def _rubric_gap(session: Session, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A rubric result good enough in one team; without any, the first team's is asked for."""
    first: str | None = None
    for adoption, _ in teams:
        rows = rubrics.calibration(session, workspace_id=playbook.workspace_id, adoption_id=adoption.id or 0)
        lacks = rubric_gap(spec, _revisions(session, playbook.workspace_id, adoption.id or 0), rows)
        if lacks is None:
            return None
        first = first or lacks
    if spec.rubric is None:
        return None
    lacks = first or f"a rubric result at or above {set_share(spec.rubric.threshold)}"
    offer = (
        Offer("Record a rubric result", Action.RUBRIC_RECORD, f"{teams[0][0].id}")
        if teams
        else Offer("Start a cycle", Action.START_CYCLE, playbook.slug)
    )
    return Gap("rubric", escape(lacks[0].upper() + lacks[1:]), offer)


def _setup_gap(session: Session, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A team other than the first, set up within the minutes the playbook promises."""
    titles = {adoption.id: team.title for adoption, team in teams[1:]}
    rows = versions.setups(
        session, workspace_id=playbook.workspace_id, adoption_ids=[one for one in titles if one is not None]
    )
    took = {row.adoption_id: minutes_of(row) for row in rows}
    done = {adoption_id: minutes for adoption_id, minutes in took.items() if minutes is not None}
    if any(minutes <= spec.setup_minutes for minutes in done.values()):
        return None
    if done:
        fastest = min(done, key=lambda one: done[one])
        so_far = say(
            "{team} took {minutes}", team=titles[fastest], minutes=format_amount(done[fastest], Unit.MINUTES)
        )
    elif took:
        so_far = say("{team} has begun", team=titles[next(iter(took))])
    else:
        so_far = say("none so far")
    return Gap(
        "setup",
        say("A second team set up within {minutes} min: {so_far}", minutes=spec.setup_minutes, so_far=so_far),
        Offer("Adopt in another team", Action.ADOPT, playbook.slug),
    )


def minutes_of(setup: Setup) -> int | None:
    """How long a setup took, in whole minutes, a begun one counted; None while it isn't done."""
    if setup.done_at is None:
        return None
    return -int(-(setup.done_at - setup.started_at).total_seconds() // 60)

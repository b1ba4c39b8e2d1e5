"""Readiness: what is left before the newest revision of a playbook can be published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from cadence.documents import PlaybookSpec
from cadence.documents import package_gaps as file_gaps
from cadence.flows.core import (
    AdoptionView,
    is_watch,
    spec_of,
)
from cadence.flows.setup import minutes_of
from cadence.mrkdwn import Mrkdwn, escape, say
from cadence.refusals import Offer
from cadence.rules.kpi import Direction, Outcome, Unit, format_amount, meets
from cadence.rules.percent import set_share
from storage.queries import adoptions, playbooks, rubrics, setup
from storage.queries import cycles as cycle_rows
from storage.queries.rubrics import GradedSamples
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    Playbook,
    PlaybookVersion,
    Setup,
    Team,
)
from storage.work import UnitOfWork
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Gap:
    """A missing condition for publishing: in words with numbers, and its button.

    `kind` is `kpi`, `package`, `rubric` or `setup`. `next` says what will settle it without a person: then
    there is no button.
    """

    kind: str
    text: Mrkdwn
    offer: Offer | None
    next: Mrkdwn | None = None

    @property
    def told(self) -> Mrkdwn:
        """What is missing, and what will settle it without a person."""
        return self.text if self.next is None else say("{text}. {next}", text=self.text, next=self.next)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a revision can be published: if there is no gap."""

    version: PlaybookVersion
    spec: PlaybookSpec
    gaps: tuple[Gap, ...]


def package_gaps(uow: UnitOfWork, view: AdoptionView) -> tuple[str, ...]:
    """What is missing in an adoption's package, for display: parts of the file, and a good enough rubric
    result."""
    rows = rubrics.graded(uow, adoption_id=view.id)
    gap = rubric_gap(view.spec, _revisions(uow, view.id), rows)
    return (*file_gaps(view.spec), *((gap,) if gap else ()))


def rubric_gap(
    spec: PlaybookSpec, revisions: Mapping[str, int], results: Sequence[GradedSamples]
) -> str | None:
    """Why the graded samples don't meet the rubric's threshold yet; None if they do.

    For each step, all samples graded by the rubric in force count together: a single good result doesn't hide
    the others. Without a rubric in the file there is nothing to grade by, which is reported elsewhere.
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
        return _wanted(spec.rubric.threshold)
    low = [
        f"“{found.title}” {passes} of {samples}"
        for step, (passes, samples) in counted.items()
        if (found := spec.step(step)) and passes < spec.rubric.threshold * samples - 1e-9
    ]
    return f"{_wanted(spec.rubric.threshold)} (so far {', '.join(low)})" if low else None


def _wanted(threshold: float) -> str:
    """What a rubric asks for before others can start from a package."""
    return f"graded results with at least {set_share(threshold)} passed"


def _revisions(uow: UnitOfWork, adoption_id: int) -> dict[str, int]:
    rows = adoptions.steps(uow, adoption_id=adoption_id)
    return {step: row.rubric for step, row in rows.items()}


def readiness_of(uow: UnitOfWork, playbook: Playbook) -> Readiness:
    """The gaps of a playbook's newest revision, in the order of SPEC §2."""
    playbook_id = playbook.id or 0
    version = playbooks.newest_version(uow, playbook_id=playbook_id)
    assert version is not None  # noqa: S101 - imported with its playbook
    spec = spec_of(uow, version)
    teams = adoptions.adopters(uow, playbook_id=playbook_id)
    found = (
        _kpi_gap(uow, playbook, spec, teams),
        _file_gap(playbook, spec),
        _rubric_gap(uow, playbook, spec, teams),
        _setup_gap(uow, playbook, spec, teams),
    )
    return Readiness(version, spec, tuple(gap for gap in found if gap is not None))


Teams = Sequence[tuple[Adoption, Team]]


def _ids(teams: Teams) -> list[int]:
    return [adoption.id or 0 for adoption, _ in teams]


def _kpi_gap(uow: UnitOfWork, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """The target met in enough closed cycles in a row, by one team."""
    needed = spec.scale_cycles
    rows = cycle_rows.cycles(uow, adoption_ids=_ids(teams))
    cycles = [row for row in rows if row.state is CycleState.CLOSED and not is_watch(row)]
    specs = {
        version_id: spec_of(uow, playbooks.version(uow, version_id=version_id))
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
    so_far = f"{best} so far, in {whose}" if best else "none yet"
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
    """The guardrails that alone keep cycles from being met, with their numbers; empty if it is the KPI
    itself."""
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
    """The running or planned cycle whose close counts next; the named team's before others'."""
    going_on = {adoption.id: team.title for adoption, team in teams if adoption.state is AdoptionState.ACTIVE}
    found = [
        row
        for row in rows
        if row.state is CycleState.RUNNING and not is_watch(row) and row.adoption_id in going_on
    ]
    if not found:
        return None
    row = min(found, key=lambda one: (going_on[one.adoption_id] != first, one.closes_on))
    return say(
        "Next to count: cycle {number} of {team}, closing {day:%a %-d %b}",
        number=row.number,
        team=going_on[row.adoption_id],
        day=row.closes_on,
    )


def _held(cycle: Cycle, then: PlaybookSpec, now: PlaybookSpec) -> bool:
    """Whether a cycle met its own target and the one to be published, on the same KPI."""
    return cycle.result == Outcome.MET and _reached(cycle, then, now)


def _reached(cycle: Cycle, then: PlaybookSpec, now: PlaybookSpec) -> bool:
    """Whether a cycle's number meets the target to be published, on the same KPI."""
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
        say("Complete the playbook's package for other teams. Missing: {parts}", parts=", ".join(lacking)),
        Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug),
    )


def _rubric_gap(uow: UnitOfWork, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A good enough rubric result in one team; without any, the first team's is asked for."""
    first: str | None = None
    for adoption, _ in teams:
        rows = rubrics.graded(uow, adoption_id=adoption.id or 0)
        gap = rubric_gap(spec, _revisions(uow, adoption.id or 0), rows)
        if gap is None:
            return None
        first = first or gap
    if spec.rubric is None:
        return None
    gap = first or _wanted(spec.rubric.threshold)
    offer = (
        Offer("Record a rubric result", Action.RUBRIC_RECORD, f"{teams[0][0].id}")
        if teams
        else Offer("Start a cycle", Action.START_CYCLE, playbook.slug)
    )
    return Gap("rubric", escape(gap[0].upper() + gap[1:]), offer)


def _setup_gap(uow: UnitOfWork, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A team other than the first that finished its setup within the playbook's minutes."""
    titles = {adoption.id: team.title for adoption, team in teams[1:]}
    rows = setup.setups(uow, adoption_ids=[one for one in titles if one is not None])
    took = {row.adoption_id: setup_minutes(row) for row in rows}
    done = {adoption_id: minutes for adoption_id, minutes in took.items() if minutes is not None}
    if any(minutes <= spec.setup_minutes for minutes in done.values()):
        return None
    if done:
        fastest = min(done, key=lambda one: done[one])
        so_far = say(
            "{team} took {minutes}", team=titles[fastest], minutes=format_amount(done[fastest], Unit.MINUTES)
        )
    elif took:
        so_far = say("{team} has started", team=titles[next(iter(took))])
    else:
        so_far = say("none yet")
    return Gap(
        "setup",
        say("A second team set up within {minutes} min: {so_far}", minutes=spec.setup_minutes, so_far=so_far),
        Offer("Bring it to another team", Action.ADOPT, playbook.slug),
    )


def setup_minutes(row: Setup) -> int | None:
    """Duration of a setup in whole minutes, rounded up; None while it isn't done."""
    return minutes_of(row, now=row.done_at) if row.done_at else None

"""What a playbook still lacks before it can be published (SPEC §2), each with the button that settles it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from cadence.documents import PlaybookSpec, differences, playbook_from_data
from cadence.documents import package_gaps as file_gaps
from cadence.flows.core import (
    TeamRun,
    announce,
    is_curator,
    note,
    once,
    require_curator,
    require_playbook,
    require_workspace,
    state_of,
)
from cadence.mrkdwn import Mrkdwn, code, escape, say
from cadence.refusals import Offer, Refusal
from cadence.rules.kpi import Direction, Outcome, Unit, format_amount, meets
from cadence.rules.percent import set_share
from storage import trail
from storage.queries import playbooks, rubrics
from storage.queries import playbooks as versions
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleState,
    Override,
    OverrideKind,
    OwedMessage,
    Playbook,
    PlaybookVersion,
    RubricResult,
    Setup,
    Team,
)
from storage.work import UnitOfWork
from templates.contexts.base import Kpi
from templates.contexts.publishing import (
    GapLine,
    OverrideForm,
    OverrideShown,
    PlaybookPublished,
    PublishBlocked,
    TeamDelta,
)
from templates.ids import Action, Field


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


def package_gaps(uow: UnitOfWork, run: TeamRun) -> tuple[str, ...]:
    """What the package of a run lacks, as people read it: parts of the file, and a good enough rubric result."""
    rows = rubrics.calibration(uow, adoption_id=run.id)
    lacks = rubric_gap(run.spec, _revisions(uow, run.id), rows)
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


def _revisions(uow: UnitOfWork, adoption_id: int) -> dict[str, int]:
    rows = playbooks.steps(uow, adoption_id=adoption_id)
    return {step: row.rubric for step, row in rows.items()}


def readiness(uow: UnitOfWork, playbook: Playbook) -> Readiness:
    """What the newest revision of a playbook lacks, in the order of SPEC §2."""
    _workspace_id, playbook_id = playbook.workspace_id, playbook.id or 0
    version = playbooks.newest_version(uow, playbook_id=playbook_id)
    assert version is not None  # noqa: S101 - imported with its playbook
    spec = playbook_from_data(version.spec)
    teams = versions.adopters(uow, playbook_id=playbook_id)
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
    """The target in enough closed cycles in a row, by one team."""
    _workspace_id, needed = playbook.workspace_id, spec.scale_cycles
    rows = versions.cycles(uow, adoption_ids=_ids(teams))
    cycles = [row for row in rows if row.state is CycleState.CLOSED]
    specs = {
        version_id: playbook_from_data(playbooks.version(uow, version_id=version_id).spec)
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


def _rubric_gap(uow: UnitOfWork, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A rubric result good enough in one team; without any, the first team's is asked for."""
    first: str | None = None
    for adoption, _ in teams:
        rows = rubrics.calibration(uow, adoption_id=adoption.id or 0)
        lacks = rubric_gap(spec, _revisions(uow, adoption.id or 0), rows)
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


def _setup_gap(uow: UnitOfWork, playbook: Playbook, spec: PlaybookSpec, teams: Teams) -> Gap | None:
    """A team other than the first, set up within the minutes the playbook promises."""
    titles = {adoption.id: team.title for adoption, team in teams[1:]}
    rows = versions.setups(uow, adoption_ids=[one for one in titles if one is not None])
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


LEAST_REASON = 15
"""Characters, and three words, from which on a reason can be one."""


@once
def publish(
    uow: UnitOfWork, slug: str, *, revision: int | None = None, reason: str | None = None
) -> PlaybookPublished | PublishBlocked:
    """Freeze the newest revision as the next version; when something is missing, say what instead.

    With a reason it is published although something is missing: an override, announced and kept for good. Asked
    again for what is already out, it answers the same and changes nothing.

    Args:
        revision: the revision the person was shown; another one since is refused.

    Raises:
        Refusal: not a curator (an owner may see what is missing), nothing new, no reason worth the name.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        playbook = versions.lock_playbook(uow, playbook_id=playbook.id or 0)
        if uow.actor.member != playbook.owner or reason is not None:
            require_curator(uow, to=f"publish {playbook.title}")
        ready = readiness(uow, playbook)
        if ready.version.number is not None:
            if reason is not None and revision == ready.version.revision:
                return published_context(uow, ready.version)
            raise _nothing_new(playbook, ready.version)
        if revision is not None and revision != ready.version.revision:
            raise Refusal(
                say("{title} was revised meanwhile; look at what is missing again.", title=playbook.title),
                field=Field.REASON,
            )
        if ready.gaps and reason is None:
            return _blocked(uow, playbook, ready)
        require_curator(uow, to=f"publish {playbook.title}")
        _freeze(uow, playbook, ready, reason=_worth_reading(reason, ready.gaps))
        teams = versions.adopters(uow, playbook_id=playbook.id or 0)
        announce(
            uow,
            workspace,
            [team for _, team in teams],
            kind="playbook-published",
            slot=str(ready.version.id),
            subject={"version": ready.version.id},
        )
        return published_context(uow, ready.version)


def _worth_reading(reason: str | None, gaps: Sequence[Gap]) -> str | None:
    if reason is None or not gaps:
        return None
    if len(reason) < LEAST_REASON or len(reason.split()) < 3:
        raise Refusal(
            "Say in a sentence why it can't wait; the teams that run it will read it.", field=Field.REASON
        )
    return reason


def _nothing_new(playbook: Playbook, version: PlaybookVersion) -> Refusal:
    return Refusal(
        say(
            "{title} v{number} is the newest there is, and it is published already. {command} opens the next draft.",
            title=playbook.title,
            number=version.number,
            command=code(f"/cadence playbook revise {playbook.slug}"),
        ),
        field=Field.PLAYBOOK,
        offer=Offer("Edit it", Action.EDIT_PLAYBOOK, playbook.slug),
    )


def _next_number(uow: UnitOfWork, playbook: Playbook) -> int:
    newest = versions.newest_published(uow, playbook_id=playbook.id or 0)
    return ((newest.number or 0) if newest else 0) + 1


def _blocked(uow: UnitOfWork, playbook: Playbook, ready: Readiness) -> PublishBlocked:
    return PublishBlocked(
        slug=playbook.slug,
        title=playbook.title,
        number=_next_number(uow, playbook),
        revision=ready.version.revision,
        gaps=tuple(GapLine(text=gap.told, offer=gap.offer) for gap in ready.gaps),
        may_override=is_curator(uow),
        value=f"{ready.version.revision}:{playbook.slug}",
    )


def _freeze(uow: UnitOfWork, playbook: Playbook, ready: Readiness, *, reason: str | None) -> None:
    """Give the revision its number, and keep the override beside it."""
    version, before = ready.version, playbook.state
    version.number, version.published_at = _next_number(uow, playbook), uow.now
    uow.session.flush()
    playbook.state = state_of(uow, playbook)
    if reason is not None:
        uow.session.add(
            Override(
                workspace_id=playbook.workspace_id,
                kind=OverrideKind.PUBLISH,
                playbook_id=playbook.id or 0,
                version_id=version.id,
                passed_over={"gaps": [str(gap.text) for gap in ready.gaps]},
                reason=reason,
                member=uow.actor.member,
                overridden_at=uow.now,
            )
        )
    note(
        uow,
        action="playbook-published",
        subject=f"playbook:{playbook.slug}",
        before={"state": before},
        after={
            "state": playbook.state,
            "number": version.number,
            "revision": version.revision,
            "passed_over": [gap.kind for gap in ready.gaps],
            "reason": reason,
        },
    )
    uow.session.flush()


def published(uow: UnitOfWork, message: OwedMessage) -> PlaybookPublished:
    """The alert: a version is out."""
    version = playbooks.version(uow, version_id=int(message.subject["version"]))
    return published_context(uow, version)


def published_context(uow: UnitOfWork, version: PlaybookVersion) -> PlaybookPublished:
    """What a published version is announced with; the same whenever it is asked."""
    _workspace_id, number = version.workspace_id, version.number or 0
    playbook = playbooks.by_id(uow, playbook_id=version.playbook_id)
    earlier = [
        row for row in versions.published(uow, playbook_id=version.playbook_id) if (row.number or 0) < number
    ]
    spec = playbook_from_data(version.spec)
    changes = differences(playbook_from_data(earlier[0].spec), spec) if earlier else ()
    overrides = versions.overrides(uow, playbook_id=version.playbook_id)
    return PlaybookPublished(
        slug=playbook.slug,
        title=spec.title,
        function=spec.function,
        number=number,
        revision=version.revision,
        by=publisher(uow, playbook, version) or playbook.owner,
        owner=playbook.owner,
        deltas=_deltas(uow, version),
        changes=changes,
        override=next((override_shown(row) for row in overrides if row.version_id == version.id), None),
        offers=(Offer("Adopt in another team", Action.ADOPT, playbook.slug),),
    )


def publisher(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion) -> str | None:
    """Who published a version."""
    entries = trail.entries(uow, action="playbook-published", subject=f"playbook:{playbook.slug}")
    return next((one.member for one in entries if one.after["number"] == version.number), None)


def override_shown(row: Override) -> OverrideShown:
    """An override as people read it."""
    return OverrideShown(
        member=row.member,
        reason=row.reason,
        passed_over=tuple(Mrkdwn(gap) for gap in row.passed_over.get("gaps", ())),
    )


def _deltas(uow: UnitOfWork, version: PlaybookVersion) -> tuple[TeamDelta, ...]:
    teams = versions.adopters(uow, playbook_id=version.playbook_id)
    return tuple(
        TeamDelta(team=team.title, kpi=kpi) for adoption, team in teams for kpi in _last_kpi(uow, adoption)
    )


def _last_kpi(uow: UnitOfWork, adoption: Adoption) -> list[Kpi]:
    """The KPI of a team's last closed cycle, by the version it ran on; nothing before the first."""
    cycles = versions.cycles(uow, adoption_ids=[adoption.id or 0])
    last = next((one for one in cycles if one.state is CycleState.CLOSED and one.kpi_value is not None), None)
    if last is None:
        return []
    ran = playbooks.version(uow, version_id=last.version_id)
    kpi = playbook_from_data(ran.spec).kpi
    return [
        Kpi(
            name=kpi.name,
            unit=kpi.unit,
            direction=kpi.direction,
            target=kpi.target,
            baseline=kpi.baseline,
            value=last.kpi_value,
        )
    ]


def override_form(uow: UnitOfWork, *, playbook: str, revision: int) -> OverrideForm:
    """The form that asks a curator for the reason.

    Raises:
        Refusal: not a curator, or the playbook was revised or published since.
    """
    with uow.read():
        require_workspace(uow)
        row = require_playbook(uow, playbook)
        require_curator(uow, to=f"publish {row.title}")
        ready = readiness(uow, row)
        if ready.version.number is not None:
            raise _nothing_new(row, ready.version)
        if ready.version.revision != revision or not ready.gaps:
            raise Refusal(
                say(
                    "{title} has changed since; {command} looks again.",
                    title=row.title,
                    command=code(f"/cadence playbook publish {row.slug}"),
                )
            )
        return OverrideForm(
            title=row.title,
            number=_next_number(uow, row),
            missing=tuple(gap.text for gap in ready.gaps),
        )

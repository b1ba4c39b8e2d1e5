"""The cutover from pilot to production: the owner asks, a curator moves it, holds it, or moves it anyway."""

from typing import Final

from cadence.flows.core import (
    MessageKind,
    announce,
    curators_read,
    is_curator,
    once,
    require_curator,
    require_not_retired,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    rewrite_digest,
    save_override,
    tell,
    worthy_reason,
    zone_of,
)
from cadence.flows.cutover.assessing import require_pilot
from cadence.flows.cutover.measuring import (
    CutoverView,
    as_stored,
    cutover_of,
    is_sorted,
    practices,
    stored,
)
from cadence.flows.numbers import kpi_context
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.cutover import DUTIES, Line, Requirement
from cadence.rules.percent import percent_of, set_share
from storage.queries import cutover, playbooks
from storage.tables import (
    Cutover,
    CutoverState,
    OutboxMessage,
    OverrideKind,
    Playbook,
    PlaybookState,
    PracticeKind,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.cutover import (
    ChooseCutoverForm,
    CutoverHeld,
    CutoverPassed,
    CutoverShown,
    HoldForm,
    MoveAnywayForm,
    RequirementLine,
)
from templates.contexts.pilots import DUTY_WORDS
from templates.filters import day, plural
from templates.ids import Action, Field

ASKED: Final = "cutover-asked"
HELD: Final = "cutover-held"
PASSED: Final = "cutover-passed"
TO_SEE: Final = "see the cutover"
TO_ASK: Final = "ask for the cutover"
TO_DECIDE: Final = "decide on a cutover"
_TITLES: Final = {
    Requirement.INPUTS: "Complete inputs",
    Requirement.ACCURACY: "Rubric accuracy",
    Requirement.ADOPTION: "Check-ins",
    Requirement.OWNERSHIP: "Ownership",
    Requirement.ASSESSMENT: "Assessment",
}
NOT_REPORTED: Final = "not reported yet (“Add details” in a check-in)"


def show_cutover(uow: UnitOfWork, slug: str) -> CutoverShown:
    """Everything production needs against what the pilot measured, with the caller's buttons.

    Raises:
        Unknown: there is no such playbook. NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        require_owner_or_curator(uow, playbook=playbook, to=TO_SEE)
        found = cutover_of(uow, playbook)
        return _shown(uow, found, offers=_offers(uow, found))


def _shown(uow: UnitOfWork, found: CutoverView, *, offers: tuple[Offer, ...]) -> CutoverShown:
    decision, request = found.decision, found.request
    row = request or decision
    state = "open"
    if found.in_production:
        state, row = "production", decision
    elif request:
        state = "asked"
    elif decision:
        state = "held"
    kpi = None
    if found.pilot and found.cycle and found.cycle.kpi_value is not None:
        kpi = kpi_context(found.pilot, value=found.cycle.kpi_value)
    workspace = require_workspace(uow)
    return CutoverShown(
        slug=found.playbook.slug,
        playbook=found.playbook.title,
        team=found.pilot.team.title if found.pilot else "no team yet",
        lines=lines_of(found),
        state=state,
        cycle=found.cycle.number if found.cycle else None,
        kpi=kpi,
        missing=()
        if found.in_production
        else tuple(DUTY_WORDS[duty] for duty in DUTIES if duty not in found.people),
        reviewer=found.assessment.reviewer if found.assessment else None,
        heroic=practices(found.assessment, PracticeKind.HEROIC),
        by=row.member if row else None,
        at=row.decided_at.astimezone(zone_of(uow, workspace, uow.actor.member)) if row else None,
        reason=str(row.figures.get("reason", "")) if row else "",
        overridden=state == "production" and found.state is CutoverState.OVERRIDDEN,
        offers=offers,
    )


def lines_of(found: CutoverView) -> tuple[RequirementLine, ...]:
    """The requirements in words."""
    return tuple(_line(found, line) for line in found.rows)


def _line(found: CutoverView, line: Line) -> RequirementLine:
    of_cycle = f", cycle {found.cycle.number}" if found.cycle else ""
    no_cycle = "" if found.cycle else "no closed cycle yet"
    percent = percent_of(line.count, line.total, limit=line.needed)
    share = f" ({percent})" if percent else ""
    needed = set_share(line.needed) if line.needed is not None else "a rubric"
    match line.requirement:
        case Requirement.INPUTS:
            measured = (
                f"{line.count:,} of {plural(line.total, 'run')}{share}"
                if line.total
                else no_cycle or NOT_REPORTED
            )
            return _row(line, needed, measured, f"check-ins{of_cycle}")
        case Requirement.ACCURACY:
            measured = f"{line.count:,} of {plural(line.total, 'sample')}{share}"
            measured = measured if line.total else no_cycle or "no samples"
            return _row(line, needed, measured, f"graded samples{of_cycle}")
        case Requirement.ADOPTION:
            measured = (
                f"{line.count:,} of {line.total:,}{share}" if line.total else no_cycle or "nobody was asked"
            )
            return _row(line, needed, measured, f"check-ins{of_cycle}")
        case Requirement.OWNERSHIP:
            return _row(line, f"{line.total} names", f"{line.count} of {line.total}", "owners by name")
        case Requirement.ASSESSMENT:
            return _row(line, "answered", _assessed(found, line), "the owner")


def _row(line: Line, needed: str, measured: str, source: str) -> RequirementLine:
    return RequirementLine(
        title=_TITLES[line.requirement], needed=needed, measured=measured, source=source, met=line.met
    )


def _assessed(found: CutoverView, line: Line) -> str:
    if line.met:
        return "answered"
    open_ = practices(found.assessment, None)
    return f"{plural(len(open_), 'practice')} to sort" if open_ else "not yet"


def _offers(uow: UnitOfWork, found: CutoverView) -> tuple[Offer, ...]:
    """The caller's buttons: a curator decides, the owner asks; the assessment comes first."""
    slug = found.playbook.slug
    if found.in_production or found.cycle is None or found.playbook.state is PlaybookState.RETIRED:
        return ()
    assessed = is_sorted(found.assessment)
    answer = (
        Offer("Sort the practices", Action.SORT_PRACTICES, slug)
        if found.assessment
        else Offer("Answer the assessment", Action.ASSESS, slug)
    )
    first = () if assessed else (answer,)
    show = (Offer("Show the assessment", Action.SHOW_ASSESSMENT, slug),) if found.assessment else ()
    if not set(DUTIES) <= set(found.people):
        show = (Offer("Name owners", Action.NAME_OWNERS, slug), *show)
    if is_curator(uow):
        move = (
            Offer("Move to production", Action.APPROVE_CUTOVER, slug)
            if found.verdict.met
            else Offer("Move anyway", Action.CUTOVER_ANYWAY, slug)
        )
        hold = Offer("Hold", Action.HOLD_CUTOVER, slug)
        return (move, hold, *show) if found.verdict.met else (*first, hold, move, *show)
    ask = (Offer("Ask for cutover", Action.ASK_CUTOVER, slug),) if assessed and not found.request else ()
    return (*first, *ask, *show)


@once
def ask_cutover(uow: UnitOfWork, slug: str) -> Done:
    """Ask the curators to move a playbook to production; they get the table. Asking again changes nothing.

    Raises:
        Refusal: the assessment isn't answered, the pilot hasn't closed a cycle, or the playbook is retired.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        require_owner_or_curator(uow, playbook=playbook, to=TO_ASK)
        found = _locked(uow, playbook)
        if found.in_production:
            return _already(uow, found)
        if not is_sorted(found.assessment):
            raise Refusal(
                say("Answer the assessment of {title} first.", title=playbook.title)
                if found.assessment is None
                else "Sort the practices of the assessment first.",
                offer=_offers(uow, found)[0],
            )
        if found.request is None:
            row = _save(uow, found, CutoverState.ASKED, action="cutover-asked")
            subject = {"playbook": playbook.slug}
            tell(
                uow,
                curators_read(uow, workspace),
                kind=ASKED,
                slot=f"{playbook.id}:{row.id}",
                subject=subject,
            )
        met = sum(1 for line in found.rows if line.met)
        return Done(
            text=say(
                "Asked the curators to move {title} to production. {met} of {all} requirements are met.",
                title=playbook.title,
                met=met,
                all=len(found.rows),
            ),
            offers=(Offer("Show the table", Action.SHOW_CUTOVER, playbook.slug),),
        )


@once
def approve_cutover(uow: UnitOfWork, slug: str, *, reason: str | None = None) -> Done:
    """Move a playbook to production; with a reason although something is missing. Announced either way.

    Raises:
        Refusal: something is missing and no reason was given, the reason says too little, the pilot hasn't
        closed a cycle, or the playbook is retired. NotAllowed: the caller isn't a curator.
    """
    with uow.write():
        workspace = require_workspace(uow)
        require_curator(uow, to=TO_DECIDE)
        found = _locked(uow, require_playbook(uow, slug))
        playbook, pilot = found.playbook, found.pilot
        if found.in_production or pilot is None:
            return _already(uow, found)
        overridden = not found.verdict.met
        if overridden and reason is None:
            missing = [one.title.lower() for one in lines_of(found) if not one.met]
            raise Refusal(
                say(
                    "{title} can't move to production yet. Not met: {missing}.",
                    title=playbook.title,
                    missing=", ".join(missing),
                ),
                offer=Offer("Move anyway", Action.CUTOVER_ANYWAY, playbook.slug),
            )
        why = worthy_reason(reason or "", readers="The team and the curators") if overridden else ""
        state = CutoverState.OVERRIDDEN if overridden else CutoverState.PASSED
        row = _save(uow, found, state, action=f"cutover-{state.value}", reason=why)
        if overridden:
            save_override(
                uow,
                OverrideKind.CUTOVER,
                playbook_id=row.playbook_id,
                version_id=row.version_id,
                adoption_id=row.adoption_id,
                passed_over={"missing": [one.value for one in found.verdict.missing]},
                reason=why,
            )
        subject = {"cutover": row.id}
        announce(uow, workspace, [pilot.team], kind=PASSED, slot=row.id, subject=subject)
        uow.rewrite(ASKED, _slot_of(found), mark=f"decided:{row.id}")
        rewrite_digest(uow, mark=f"cutover:{row.id}")
        return Done(
            text=say("{title} is in production from now on. We've told the team.", title=playbook.title),
            offers=(Offer("Show the playbook", Action.SHOW_PLAYBOOK, playbook.slug),),
        )


@once
def hold_cutover(uow: UnitOfWork, slug: str, *, reason: str) -> Done:
    """Hold a cutover with a reason; its owner gets it with what is missing.

    Raises:
        Refusal: the reason says too little, the pilot hasn't closed a cycle, or the playbook is retired.
        NotAllowed: the caller isn't a curator.
    """
    with uow.write():
        require_curator(uow, to=TO_DECIDE)
        found = _locked(uow, require_playbook(uow, slug))
        playbook = found.playbook
        if found.in_production:
            return _already(uow, found)
        reason = reason.strip()
        if not reason:
            raise Refusal("Say what has to happen first. The owner will see this.", field=Field.REASON)
        row = _save(uow, found, CutoverState.HELD, action="cutover-held", reason=reason)
        tell(uow, [playbook.owner], kind=HELD, slot=row.id, subject={"cutover": row.id})
        uow.rewrite(ASKED, _slot_of(found), mark=f"decided:{row.id}")
        rewrite_digest(uow, mark=f"cutover:{row.id}")
        return Done(
            text=say(
                "On hold: {title}. We've told {owner}.", title=playbook.title, owner=mention(playbook.owner)
            ),
            offers=(Offer("Show the table", Action.SHOW_CUTOVER, playbook.slug),),
        )


def _locked(uow: UnitOfWork, playbook: Playbook) -> CutoverView:
    """The cutover of a playbook that has one to decide on, held until the transaction ends."""
    playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
    require_not_retired(playbook)
    require_pilot(uow, playbook)
    return cutover_of(uow, playbook)


def _slot_of(found: CutoverView) -> str:
    """The slot of the message of the request that was just decided; of none if there was none."""
    return f"{found.playbook.id}:{found.request.id if found.request else 0}"


def _already(uow: UnitOfWork, found: CutoverView) -> Done:
    since = found.in_production or uow.now
    zone = zone_of(uow, require_workspace(uow), uow.actor.member)
    return Done(
        text=say(
            "{title} has been in production since {day}.",
            title=found.playbook.title,
            day=day(since.astimezone(zone)),
        ),
        offers=(Offer("Show the playbook", Action.SHOW_PLAYBOOK, found.playbook.slug),),
    )


def _save(
    uow: UnitOfWork, found: CutoverView, state: CutoverState, *, action: str, reason: str = ""
) -> Cutover:
    assert found.pilot is not None  # noqa: S101 - `require_pilot` was passed
    row = Cutover(
        workspace_id=uow.workspace_id,
        playbook_id=found.playbook.id or 0,
        adoption_id=found.pilot.id,
        version_id=found.cycle.version_id if found.cycle else found.pilot.adoption.version_id,
        state=state,
        figures=as_stored(found, reason=reason),
        member=uow.actor.member,
        surface=uow.actor.surface,
        decided_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    met = [line.requirement.value for line in found.rows if line.met]
    missing = [line.requirement.value for line in found.rows if not line.met]
    uow.record(
        action=action,
        subject=f"playbook:{found.playbook.slug}",
        before={"state": found.state} if found.state else None,
        after={"met": met, "missing": missing, "reason": reason},
    )
    return row


# --- forms


def hold_form(uow: UnitOfWork, slug: str) -> HoldForm:
    """The form that asks a curator what has to happen first.

    Raises:
        NotAllowed: the caller isn't a curator. Refusal: it is in production already.
    """
    with uow.read():
        require_curator(uow, to=TO_DECIDE)
        return HoldForm(playbook=_undecided(uow, slug).playbook.title)


def anyway_form(uow: UnitOfWork, slug: str) -> MoveAnywayForm:
    """The form that asks a curator why a playbook moves although something is missing.

    Raises:
        NotAllowed: the caller isn't a curator. Refusal: nothing is missing, or it is in production already.
    """
    with uow.read():
        require_curator(uow, to=TO_DECIDE)
        found = _undecided(uow, slug)
        missing = tuple(
            f"{one.title}: {one.measured} (needs {one.needed})" for one in lines_of(found) if not one.met
        )
        if not missing:
            raise Refusal(
                "Everything is met by now.",
                offer=Offer("Move to production", Action.APPROVE_CUTOVER, found.playbook.slug),
            )
        return MoveAnywayForm(playbook=found.playbook.title, missing=missing)


def _undecided(uow: UnitOfWork, slug: str) -> CutoverView:
    require_workspace(uow)
    playbook = require_playbook(uow, slug)
    require_not_retired(playbook)
    require_pilot(uow, playbook)
    found = cutover_of(uow, playbook)
    if found.in_production:
        raise Refusal(_already(uow, found).text)
    return found


def choose_form(uow: UnitOfWork, *, heading: str) -> ChooseCutoverForm | str:
    """The form to choose one of the caller's playbooks, or its slug if there is only one.

    Raises:
        Refusal: there are no playbooks. NotAllowed: the caller owns none and isn't a curator.
    """
    with uow.read():
        require_workspace(uow)
        every = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
        mine = [row for row in every if row.owner == uow.actor.member]
        rows = mine or (every if is_curator(uow) else [])
        if not rows and every:
            raise NotAllowed("Only a playbook's owner or a curator can do that.")
        if not rows:
            raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
        if len(rows) == 1:
            return rows[0].slug
        return ChooseCutoverForm(
            heading=heading, playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows)
        )


# --- messages


def asked(uow: UnitOfWork, message: OutboxMessage) -> CutoverShown:
    """The table for the curators, with their buttons until it is decided."""
    playbook = require_playbook(uow, str(message.subject["playbook"]))
    found = cutover_of(uow, playbook)
    slug = playbook.slug
    move = (
        Offer("Move to production", Action.APPROVE_CUTOVER, slug)
        if found.verdict.met
        else Offer("Move anyway", Action.CUTOVER_ANYWAY, slug)
    )
    hold = Offer("Hold", Action.HOLD_CUTOVER, slug)
    show = Offer("Show the assessment", Action.SHOW_ASSESSMENT, slug)
    decide = (move, hold, show) if found.verdict.met else (hold, move, show)
    return _shown(uow, found, offers=decide if found.request else ())


def _row_of(uow: UnitOfWork, message: OutboxMessage) -> tuple[Cutover, Playbook]:
    row = cutover.decision(uow, cutover_id=int(message.subject["cutover"]))
    if row is None:
        raise Refusal("the decision no longer exists")
    return row, playbooks.by_id(uow, playbook_id=row.playbook_id)


def _decided_lines(uow: UnitOfWork, row: Cutover, playbook: Playbook) -> tuple[RequirementLine, ...]:
    """The requirements as they were at a decision."""
    found = cutover_of(uow, playbook)
    return tuple(_line(found, line) for line in stored(row.figures).lines)


def passed(uow: UnitOfWork, message: OutboxMessage) -> CutoverPassed:
    """The announcement that a playbook moved to production."""
    row, playbook = _row_of(uow, message)
    found = cutover_of(uow, playbook)
    return CutoverPassed(
        slug=playbook.slug,
        playbook=playbook.title,
        team=found.pilot.team.title if found.pilot else "",
        curator=row.member,
        lines=_decided_lines(uow, row, playbook),
        reason=str(row.figures.get("reason", "")),
    )


def held(uow: UnitOfWork, message: OutboxMessage) -> CutoverHeld:
    """The owner's message that the cutover was held."""
    row, playbook = _row_of(uow, message)
    return CutoverHeld(
        slug=playbook.slug,
        playbook=playbook.title,
        curator=row.member,
        reason=str(row.figures.get("reason", "")),
        missing=tuple(one for one in _decided_lines(uow, row, playbook) if not one.met),
    )


def waiting(uow: UnitOfWork) -> list[tuple[Playbook, str]]:
    """The playbooks whose owners asked for the cutover, and who asked; oldest first."""
    rows = cutover.asked(uow)
    if not rows:
        return []
    known = {row.id: row for row in playbooks.playbooks(uow)}
    return [
        (known[row.playbook_id], row.member)
        for row in rows
        if row.playbook_id in known and known[row.playbook_id].state is not PlaybookState.RETIRED
    ]


KINDS: Final = (
    MessageKind(ASKED, asked, rewrite=asked),
    MessageKind(HELD, held),
    MessageKind(PASSED, passed),
)

"""What a first cycle needs: an approved draft, and room for another team that changes (SPEC §6)."""

from datetime import date

from cadence.documents import PlaybookSpec
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    ask_offer,
    is_curator,
    needs_approval,
    override_about,
    require_curator,
    require_playbook,
    require_team,
    require_workspace,
    review_of,
    save_override,
    spec_of,
    today_in,
    worthy_reason,
)
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from cadence.rules.pilots import room
from storage.queries import adoptions, pilots, playbooks
from storage.tables import (
    OutboxMessage,
    OverrideKind,
    PilotReview,
    Playbook,
    ReviewState,
)
from storage.work import UnitOfWork
from templates.contexts.pilots import FirstCyclesForm, FirstCyclesOverridden
from templates.ids import Action

TO = "start more first cycles than the limit"


class NotApproved(Refusal):
    """The draft isn't approved for its pilot; `may_review` if its case is complete and a curator asks."""

    def __init__(self, text: str, *, offer: Offer | None, slug: str, may_review: bool = False) -> None:
        super().__init__(text, field="playbook", offer=offer)
        self.slug = slug
        self.may_review = may_review


def newest_spec(uow: UnitOfWork, playbook: Playbook) -> PlaybookSpec:
    """The contents of a playbook's newest revision."""
    newest = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    return spec_of(uow, newest)


def unanswered(spec: PlaybookSpec) -> tuple[str, ...]:
    """What a draft's review needs and the playbook doesn't say: questions of the case, then pillars."""
    return (*(f"{name} (case)" for name in spec.case.unanswered), *spec.pillars.unanswered)


def missing_answers(playbook: Playbook, spec: PlaybookSpec) -> NotApproved | None:
    """The refusal that names what is missing for a review, with the button to write it; None without gaps."""
    gaps = unanswered(spec)
    if not gaps:
        return None
    return NotApproved(
        say(
            "A pilot needs a case and the five pillars first. {title} is missing: {gaps}.",
            title=playbook.title,
            gaps=", ".join(gaps),
        ),
        offer=Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug),
        slug=playbook.slug,
    )


def require_approved(uow: UnitOfWork, playbook: Playbook) -> None:
    """Check that a draft is approved for its pilot; a playbook that already ran or is published needs nothing.

    Raises:
        NotApproved: it isn't; says what is next, with the button for it.
    """
    if not needs_approval(uow, playbook):
        return
    if (missing := missing_answers(playbook, newest_spec(uow, playbook))) is not None:
        raise missing
    raise _next_step(uow, playbook, review_of(uow, playbook))


def _next_step(uow: UnitOfWork, playbook: Playbook, row: PilotReview | None) -> NotApproved:
    title, slug = playbook.title, playbook.slug
    if is_curator(uow):
        return NotApproved(
            say(
                "{title} hasn't been approved for a pilot yet. Review its case and pillars first.",
                title=title,
            ),
            offer=Offer("Review it", Action.REVIEW_PILOT, slug),
            slug=slug,
            may_review=True,
        )
    if row is not None and row.state is ReviewState.ASKED:
        return NotApproved(
            say("{title} is waiting for a curator's review. You'll get a DM with the decision.", title=title),
            offer=Offer("Show the case", Action.SHOW_PILOT, slug),
            slug=slug,
        )
    if row is not None and row.state is ReviewState.SENT_BACK:
        return NotApproved(
            say(
                "{who} sent {title} back: “{remark}”. Edit the playbook, then ask again.",
                who=mention(row.decided_by or ""),
                title=title,
                remark=row.remark,
            ),
            offer=Offer("Show the case", Action.SHOW_PILOT, slug),
            slug=slug,
        )
    return NotApproved(
        say("A curator reviews {title} before its first cycle: its case and the five pillars.", title=title),
        offer=Offer("Ask for review", Action.ASK_REVIEW, slug),
        slug=slug,
    )


class FirstCyclesFull(Refusal):
    """As many teams as the workspace's limit are in a first cycle; curators (`may_override`) are offered the
    form."""

    def __init__(
        self, uow: UnitOfWork, view: AdoptionView, running: tuple[str, ...], *, limit: int, day: date
    ) -> None:
        self.may_override = is_curator(uow)
        what = f"start {view.playbook.title[:40]} in {view.team.title[:40]} over the limit of first cycles"
        offer = (
            Offer("Start anyway", Action.START_FIRST, f"{view.playbook.slug}:{view.team.slug}:{day}")
            if self.may_override
            else ask_offer(uow, to=what)
        )
        super().__init__(
            say(
                "{count} teams are already in a first cycle: {titles}. The limit is {limit}. {way}",
                count=len(running),
                titles=_listed(running),
                limit=limit,
                way="You can start it anyway, with a reason."
                if self.may_override
                else "A curator can start it anyway, with a reason.",
            )
            if len(running) != 1
            else say(
                "A team is already in a first cycle: {titles}. The limit is 1. {way}",
                titles=running[0],
                way="You can start it anyway, with a reason."
                if self.may_override
                else "A curator can start it anyway, with a reason.",
            ),
            field="playbook",
            offer=offer,
        )


def _listed(titles: tuple[str, ...], most: int = 6) -> Mrkdwn:
    shown = ", ".join(titles[:most])
    return say(
        "{shown}{more}", shown=shown, more=f" and {len(titles) - most} more" if len(titles) > most else ""
    )


def first_cycles_running(uow: UnitOfWork, *, on: date, besides: int | None = None) -> tuple[str, ...]:
    """The first cycles that run on a day or later, for display: `Support reply in Support EMEA`.

    Args:
        besides: the id of an adoption that isn't counted.
    """
    rows = pilots.first_cycles(uow, day=on)
    return tuple(f"{one.playbook} in {one.team}" for one in rows if one.adoption_id != besides)


def require_first_cycle_room(
    uow: UnitOfWork, view: AdoptionView, *, starts_on: date, reason: str | None
) -> None:
    """Check that another team can start its first cycle. A curator's reason overrides the limit, which is
    announced; a team that had a cycle of the playbook isn't counted.

    Raises:
        FirstCyclesFull: the limit is reached, and no reason was given. NotAllowed: a reason was given by
        somebody who isn't a curator. Refusal: the reason says nothing.
    """
    if view.cycle is not None:
        return
    running, limit = first_cycles_running(uow, on=starts_on, besides=view.id), view.workspace.first_cycles
    if room(len(running), limit=limit).allowed:
        return
    if reason is None:
        raise FirstCyclesFull(uow, view, running, limit=limit, day=starts_on)
    require_curator(uow, to=TO)
    save_override(
        uow,
        OverrideKind.FIRST_CYCLES,
        playbook_id=view.playbook.id or 0,
        version_id=view.adoption.version_id,
        adoption_id=view.id,
        passed_over={"running": list(running), "limit": limit},
        reason=worthy_reason(reason, readers="The team and the curators"),
        team=view.team,
    )


def overridden(uow: UnitOfWork, message: OutboxMessage) -> FirstCyclesOverridden:
    """The announcement of an override.

    Raises:
        Refusal: there is no such override.
    """
    row, view = override_about(uow, message)
    return FirstCyclesOverridden(
        playbook=view.playbook.title,
        team=view.team.title,
        running=tuple(str(title) for title in row.passed_over["running"]),
        most=int(row.passed_over["limit"]),
        curator=row.member,
        reason=row.reason,
    )


def first_cycles_form(
    uow: UnitOfWork, *, playbook: str, team: str, starts_on: date | None = None
) -> FirstCyclesForm:
    """The form that asks a curator why a first cycle starts anyway.

    Raises:
        NotAllowed: the caller is no curator.
        Unknown: no such playbook or team.
    """
    with uow.read():
        require_curator(uow, to=TO)
        workspace = require_workspace(uow)
        book, there = require_playbook(uow, playbook), require_team(uow, team)
        adoption = adoptions.adoption_of(uow, playbook_id=book.id or 0, team_id=there.id or 0)
        return FirstCyclesForm(
            playbook=book.title,
            team=there.title,
            running=first_cycles_running(
                uow,
                on=starts_on or today_in(workspace, uow.now),
                besides=adoption.id if adoption else None,
            ),
            most=workspace.first_cycles,
        )


OVERRIDDEN = MessageKind("first-cycles-overridden", overridden)

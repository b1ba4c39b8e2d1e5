"""What waits for owners and curators before a pilot, and duties without a person: for the Home and the digest."""

from cadence.flows.core import is_curator
from cadence.mrkdwn import escape, mention, say
from cadence.refusals import Offer
from storage.queries import pilots
from storage.tables import DutyKind, PilotReview, Playbook, ReviewState
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Decision
from templates.contexts.overview.home import HomeNeed
from templates.contexts.pilots import DUTY_WORDS
from templates.ids import Action


def pilot_needs(uow: UnitOfWork) -> list[HomeNeed]:
    """What the caller has to decide or to improve: reviews, drafts sent back, duties without a person."""
    curator, me = is_curator(uow), uow.actor.member
    found: list[HomeNeed] = []
    for row, playbook in pilots.reviews_waiting(uow):
        if row.state is ReviewState.ASKED and curator:
            found.append(_need(tell_review(row, playbook)))
        elif row.state is ReviewState.SENT_BACK and playbook.owner == me:
            found.append(_sent_back(row, playbook))
    for playbook, open_ in open_duties(uow):
        if curator or playbook.owner == me:
            found.append(_need(tell_open(playbook, open_)))
    return found


def pilot_decisions(uow: UnitOfWork) -> list[Decision]:
    """What curators have to decide, for the digest: reviews first, then duties without a person."""
    reviews = [
        tell_review(row, playbook)
        for row, playbook in pilots.reviews_waiting(uow)
        if row.state is ReviewState.ASKED
    ]
    return [*reviews, *(tell_open(playbook, open_) for playbook, open_ in open_duties(uow))]


def open_duties(uow: UnitOfWork) -> list[tuple[Playbook, dict[DutyKind, str]]]:
    """The playbooks with duties whose person has left the workspace."""
    found: dict[int, tuple[Playbook, dict[DutyKind, str]]] = {}
    for duty, playbook in pilots.duties_without_person(uow):
        found.setdefault(duty.playbook_id, (playbook, {}))[1][duty.duty] = duty.member
    return list(found.values())


def tell_open(playbook: Playbook, open_: dict[DutyKind, str]) -> Decision:
    """Duties whose person has left."""
    return Decision(
        title="⏳ Name an owner",
        text=say(
            "{playbook}: {duties} ({who} left)",
            playbook=playbook.title,
            duties=", ".join(DUTY_WORDS[one] for one in DutyKind if one in open_),
            who=mention(next(iter(open_.values()))),
        ),
        offer=Offer("Name owners", Action.NAME_OWNERS, playbook.slug),
    )


def tell_review(row: PilotReview, playbook: Playbook) -> Decision:
    """A draft that a curator has to review."""
    return Decision(
        title=f"⏳ Review {playbook.title}",
        text=say("{who} asked for its pilot", who=mention(row.asked_by)),
        offer=Offer("Review", Action.REVIEW_PILOT, playbook.slug),
    )


def _need(told: Decision) -> HomeNeed:
    return HomeNeed(title=told.title, text=escape(told.text), offers=(told.offer,) if told.offer else ())


def _sent_back(row: PilotReview, playbook: Playbook) -> HomeNeed:
    return HomeNeed(
        title=f"🟡 Sent back: {playbook.title}",
        text=say("{who}: “{remark}”", who=mention(row.decided_by or ""), remark=row.remark[:400]),
        offers=(
            Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug),
            Offer("Ask again", Action.ASK_REVIEW, playbook.slug),
        ),
    )

"""The limit of two running cycles per team, which a curator can override (SPEC §5)."""

from collections.abc import Callable
from datetime import date

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    ask_offer,
    is_curator,
    override_about,
    require_curator,
    require_playbook,
    require_team,
    save_override,
    worthy_reason,
)
from cadence.mrkdwn import say
from cadence.refusals import Offer, Refusal
from cadence.rules.signals import CYCLES_AT_ONCE, capacity
from storage.queries import adoptions, playbooks
from storage.tables import Adoption, OutboxMessage, OverrideKind
from storage.work import UnitOfWork
from templates.contexts.adoption import CapacityForm, CapacityOverridden
from templates.ids import Action

TO = "start a third cycle in a team"


class CapacityFull(Refusal):
    """The team already has its maximum of running cycles; curators (`may_override`) are offered the form.

    `ask` makes the button that asks a curator for something.
    """

    def __init__(
        self,
        view: AdoptionView,
        running: tuple[str, ...],
        *,
        ask: Callable[[str], Offer | None],
        may_override: bool,
        day: date,
    ) -> None:
        self.may_override = may_override
        what = f"start {view.playbook.title[:40]} in {view.team.title[:40]}, which already runs {len(running)} cycles"
        offer = None
        if may_override:
            offer = Offer("Start anyway", Action.START_ANYWAY, f"{view.playbook.slug}:{view.team.slug}:{day}")
        else:
            offer = ask(what)
        super().__init__(
            say(
                "{team} already has {count} running cycles: {titles}. The limit is {limit}. {way}",
                team=view.team.title,
                count=len(running),
                titles=" and ".join(running[:3]),
                limit=CYCLES_AT_ONCE,
                way="You can start it anyway, with a reason."
                if may_override
                else "A curator can start it anyway, with a reason.",
            ),
            field="team",
            offer=offer,
        )


def running_titles(uow: UnitOfWork, adoption: Adoption) -> tuple[str, ...]:
    """The playbooks of the other running cycles of an adoption's team."""
    others = {
        row.playbook_id
        for row in adoptions.running_of_team(uow, team_id=adoption.team_id)
        if row.id != adoption.id
    }
    every = playbooks.playbooks(uow)
    return tuple(row.title for row in every if row.id in others)


def require_capacity(uow: UnitOfWork, view: AdoptionView, *, starts_on: date, reason: str | None) -> None:
    """Check that the team can start a cycle. A curator's reason overrides the limit, which is announced.

    Raises:
        CapacityFull: the limit is reached, and no reason was given. NotAllowed: a reason was given by
        somebody who isn't a curator. Refusal: the reason says nothing.
    """
    running = running_titles(uow, view.adoption)
    if capacity(len(running)).allowed:
        return
    if reason is None:
        raise CapacityFull(
            view,
            running,
            ask=lambda what: ask_offer(uow, to=what),
            may_override=is_curator(uow),
            day=starts_on,
        )
    require_curator(uow, to=TO)
    save_override(
        uow,
        OverrideKind.CAPACITY,
        playbook_id=view.playbook.id or 0,
        version_id=view.adoption.version_id,
        adoption_id=view.id,
        passed_over={"running": list(running), "limit": CYCLES_AT_ONCE},
        reason=worthy_reason(reason, readers="The team and the curators"),
        team=view.team,
    )


def overridden(uow: UnitOfWork, message: OutboxMessage) -> CapacityOverridden:
    """The announcement of an override.

    Raises:
        Refusal: there is no such override.
    """
    row, view = override_about(uow, message)
    return CapacityOverridden(
        playbook=view.playbook.title,
        team=view.team.title,
        running=tuple(str(title) for title in row.passed_over["running"]),
        most=int(row.passed_over["limit"]),
        curator=row.member,
        reason=row.reason,
    )


def capacity_form(uow: UnitOfWork, *, playbook: str, team: str) -> CapacityForm:
    """The form that asks a curator why a cycle starts anyway.

    Raises:
        NotAllowed: the caller is no curator.
        Unknown: no such playbook or team.
    """
    with uow.read():
        require_curator(uow, to=TO)
        book = require_playbook(uow, playbook)
        there = require_team(uow, team)
        running = {row.playbook_id for row in adoptions.running_of_team(uow, team_id=there.id or 0)} - {
            book.id
        }
        every = playbooks.playbooks(uow)
        return CapacityForm(
            playbook=book.title,
            team=there.title,
            running=tuple(row.title for row in every if row.id in running),
            most=CYCLES_AT_ONCE,
        )


CAPACITY_OVERRIDDEN = MessageKind("capacity-overridden", overridden)

"""Authorization: who is acting, and what they can do (SPEC §8), for every command, button and form."""

from collections.abc import Callable, Iterable

from cadence.flows.core.repeats import require_first
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.participation import Bar, Standing, barred
from storage.queries import absences, people, playbooks
from storage.queries.people import Participant
from storage.tables import Playbook
from storage.work import UnitOfWork
from templates.ids import Action

LONGEST_WISH = 150
"""Characters of what somebody asks an owner or a curator to do."""


def admit(uow: UnitOfWork, *, meet: Callable[[], None], anybody: bool = False) -> None:
    """Admit a new request of somebody who takes part here.

    Args:
        meet: asks Slack who the caller is; called once, if the bot doesn't know them yet.
        anybody: also admit people who take no part.

    Raises:
        NotAllowed: guests, people of other workspaces, deactivated people and apps; the sentence says who
        can. Repeated: the request was carried out before.
    """
    with uow.read():
        found = people.caller(uow)
        reason = None if anybody else why_not(uow)
    unknown = found is not None and not found.participant.known
    if unknown and not uow.actor.from_elsewhere and not anybody:
        meet()
        uow.facts.clear()
        with uow.read():
            found = people.caller(uow)
            reason = why_not(uow)
    if reason is not None:
        raise NotAllowed(reason)
    require_first(uow, found)


def why_not(uow: UnitOfWork) -> Mrkdwn | None:
    """Why the caller can't take part, as a sentence; None if they can."""
    found = people.caller(uow)
    return _why_not(uow, found.participant if found else None)


def _why_not(uow: UnitOfWork, found: Participant | None) -> Mrkdwn | None:
    bar = _bar(found, from_elsewhere=uow.actor.from_elsewhere)
    if uow.actor.surface == "cli" or bar is None:
        return None
    if found is None or bar is not Bar.GUEST:
        return _REASONS[bar]
    if found.guests_allowed:
        return Mrkdwn("Only guests in a team can take part here. Ask the team's owner to add you.")
    every = people.curators(uow)
    named = [one for one in every if one != uow.actor.member][:3]
    return say(
        "Only full members can take part here, and you're a guest. {curators} can let guests in with "
        "`/cadence settings`.",
        curators=Mrkdwn(" or ".join(mention(one) for one in named)) if named else "A curator",
    )


_REASONS = {
    Bar.BOT: Mrkdwn("Only people can take part, not apps."),
    Bar.DEACTIVATED: Mrkdwn(
        "Only active members of this workspace can take part. Your account is deactivated."
    ),
    Bar.STRANGER: Mrkdwn(
        "Only members of this workspace can take part. Your account belongs to another one."
    ),
    Bar.UNKNOWN: Mrkdwn(
        "Only members of this workspace can take part, and we couldn't check with Slack if you're one. "
        "Try again in a minute."
    ),
}


def cannot_be(uow: UnitOfWork, members: Iterable[str], *, in_team: bool) -> dict[str, Bar]:
    """Those of some people who can't take part, and why; people Slack hasn't described yet can.

    Args:
        in_team: they are added to a team, so guests are accepted if the workspace admits guests in teams.
    """
    found = {one: _bar(_participant(uow, one), in_team=in_team) for one in dict.fromkeys(members)}
    return {one: bar for one, bar in found.items() if bar is not None and bar is not Bar.UNKNOWN}


def require_people(uow: UnitOfWork, members: Iterable[str], *, field: str, in_team: bool = False) -> None:
    """Check that people can be added to a team, or be named as decision makers.

    Raises:
        Refusal: one of them can't take part.
    """
    for one, bar in cannot_be(uow, members, in_team=in_team).items():
        raise Refusal(say(_CANNOT_BE[bar], who=mention(one)), field=field)


_CANNOT_BE = {
    Bar.BOT: "{who} is an app, and only people can take part.",
    Bar.DEACTIVATED: "{who} has been deactivated in Slack, so they can't take part.",
    Bar.STRANGER: "{who} belongs to another workspace, so they can't take part here.",
    Bar.GUEST: "{who} is a guest. A curator can let guests in with `/cadence settings`.",
}


def _participant(uow: UnitOfWork, member: str) -> Participant | None:
    return people.participant(uow, member_id=member)


def _bar(found: Participant | None, *, from_elsewhere: bool = False, in_team: bool = False) -> Bar | None:
    if found is None:  # the first request of a workspace, in which nobody can do anything yet
        return Bar.STRANGER if from_elsewhere else None
    person = Standing(
        known=found.known,
        bot=found.bot,
        deleted=found.deleted,
        stranger=found.stranger,
        guest=found.guest,
        from_elsewhere=from_elsewhere,
        in_team=in_team or found.in_team,
        named=found.named or found.in_team,
    )
    return barred(person, guests_allowed=found.guests_allowed)


def is_curator(uow: UnitOfWork) -> bool:
    """Whether the caller is a curator of the workspace. The command line counts as one."""
    if uow.actor.surface == "cli":
        return True
    found = people.caller(uow)
    return found is not None and found.is_curator


def roles(uow: UnitOfWork) -> frozenset[str]:
    """A person's roles: `member`, and `owner` or `curator` if they are one."""
    with uow.read():
        held = {"member"}
        if is_curator(uow):
            held.add("curator")
        rows = playbooks.playbooks(uow)
        if any(playbook.owner == uow.actor.member for playbook in rows):
            held.add("owner")
        return frozenset(held)


def ask_offer(uow: UnitOfWork, *first: str, to: str) -> Offer | None:
    """[Ask them] with a refusal: a DM to the first of some people, or else of the curators, who can take part.

    Somebody who is away is asked only if everybody is.

    Args:
        first: Slack IDs, asked before the curators.
        to: what the caller would like to do, after "would like to".
    """
    who = dict.fromkeys([*first, *people.curators(uow)])
    who.pop(uow.actor.member, None)
    barred_ones = cannot_be(uow, who, in_team=True)
    able = [one for one in who if one not in barred_ones]
    today = uow.now.date()
    away = {row.member for row in absences.away_between(uow, first=today, last=today, member_ids=able)}
    chosen = next((one for one in able if one not in away), next(iter(able), None))
    return Offer("Ask them", Action.ASK_THEM, f"{chosen}:{to[:LONGEST_WISH]}") if chosen else None


def require_owner_or_curator(uow: UnitOfWork, *, playbook: Playbook, to: str) -> None:
    """Require the playbook's owner or a curator.

    Raises:
        NotAllowed: anybody else; the sentence says who can, with a button to ask the owner.
    """
    if uow.actor.member == playbook.owner or is_curator(uow):
        return
    title = playbook.title[:60]
    raise NotAllowed(
        say("Only the owner ({owner}) or a curator can {to}.", owner=mention(playbook.owner), to=to),
        offer=ask_offer(uow, playbook.owner, to=to if title in to else f"{to} ({title})"),
    )


def in_form(uow: UnitOfWork) -> bool:
    """Whether the caller fills in a form, where an example isn't a command."""
    return uow.actor.surface in ("form", "shortcut")


def require_curator(uow: UnitOfWork, *, to: str, ask: bool = True) -> None:
    """Require a curator. `ask`: a curator can do it for the caller, so the refusal has a button to ask one.

    Raises:
        NotAllowed: anybody else; the sentence names the curators, or says how to get one.
    """
    if is_curator(uow):
        return
    curators = people.curators(uow)
    if not curators:
        raise NotAllowed(
            say(
                "Only a curator can {to}, and this workspace doesn't have one yet. "
                "A workspace admin can name the first with `/cadence settings`.",
                to=to,
            )
        )
    names = Mrkdwn(", ".join(mention(member) for member in curators[:5]))
    raise NotAllowed(
        say("Only a curator can {to}: {names}.", to=to, names=names),
        offer=ask_offer(uow, to=to) if ask else None,
    )

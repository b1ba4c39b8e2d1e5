"""Adaptable parts of a playbook: how a team does them, and the difference between teams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    adoption_views,
    find_adoption,
    once,
    require_not_retired,
    require_playbook,
    require_workspace,
    rewrite_setup,
)
from cadence.flows.numbers import require_team_member
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from storage.queries import playbooks, waves
from storage.tables import Adaptation
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.waves import AdaptedPart, AdaptForm, PartsCompared, TeamParts
from templates.ids import Action, Field

LONGEST: Final = 1_000
"""Maximum characters of an adapted part."""
TEAMS: Final = 20
"""Teams compared."""
LISTED: Final = 5
"""Adoptions to choose from, each with a button."""
TO: Final = "adapt a part of a playbook"


@dataclass(frozen=True, slots=True)
class AdaptGiven:
    """How a team does a part: the adoption by its id, else by playbook and team.

    `part` is as typed; an empty `text` goes back to the playbook's way.
    """

    part: str
    text: str
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None


@once
def adapt_part(uow: UnitOfWork, given: AdaptGiven) -> Done:
    """Save how a team does an adaptable part.

    Raises:
        Refusal: the part is fixed or unknown, the text is too long, or the playbook is retired. NotAllowed: somebody
        from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        view = _view(uow, given, hold=True)
        part = require_adaptable(view, given.part)
        text = given.text.strip()
        if len(text) > LONGEST:
            raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(text):,}.", field=Field.TEXT)
        row = waves.adaptation(uow, adoption_id=view.id, part=part)
        before = row.text if row else ""
        if before != text:
            _save(uow, view, row, part, text)
        done = (
            say("{team} does {part} its own way. Other teams can see how.", team=view.team.title, part=part)
            if text
            else say("{team} does {part} the playbook's way.", team=view.team.title, part=part)
        )
        return Done(
            text=done,
            offers=(
                Offer("Adapt another part", Action.ADAPT, str(view.id)),
                Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug),
            ),
        )


def _save(uow: UnitOfWork, view: AdoptionView, row: Adaptation | None, part: str, text: str) -> None:
    before = row.text if row else ""
    if row is not None:
        row.replaced_at = uow.now
        uow.session.add(row)
        uow.session.flush()
    new = Adaptation(
        workspace_id=uow.workspace_id,
        adoption_id=view.id,
        part=part,
        text=text,
        member=uow.actor.member,
        surface=uow.actor.surface,
        adapted_at=uow.now,
    )
    uow.session.add(new)
    uow.session.flush()
    uow.record(
        action="part-adapted",
        subject=f"adoption:{view.id}",
        before={"part": part, "text": before} if before else None,
        after={"part": part, "text": text},
    )
    rewrite_setup(uow, view, mark=f"adapted:{new.id}")


def _view(uow: UnitOfWork, given: AdaptGiven, *, hold: bool = False) -> AdoptionView:
    """The adoption in question; its playbook is held until the transaction ends if asked."""
    if given.adoption_id is not None:
        view = adoption_by_id(uow, adoption_id=given.adoption_id)
    else:
        view = find_adoption(uow, playbook=given.playbook, team=given.team, reports=False)
    require_team_member(uow, view, to=TO)
    require_not_retired(
        playbooks.lock_playbook(uow, playbook_id=view.playbook.id or 0) if hold else view.playbook
    )
    return view


def require_adaptable(view: AdoptionView, typed: str) -> str:
    """The adaptable part that was typed.

    Raises:
        Refusal: it is fixed, or no part of the playbook.
    """
    wanted = typed.strip().casefold()
    found = next((part for part in view.spec.adaptable if part.casefold() == wanted), None)
    if found is not None:
        return found
    title = view.playbook.title
    here = (
        say("Adaptable here: {parts}.", parts=", ".join(view.spec.adaptable)[:300])
        if view.spec.adaptable
        else say("Nothing is adaptable here.")
    )
    offer = Offer("Adapt a part", Action.ADAPT, str(view.id)) if view.spec.adaptable else None
    fixed = next((part for part in view.spec.fixed if part.casefold() == wanted), None)
    if fixed is not None:
        raise Refusal(
            say(
                "“{part}” is fixed in {title}: every team uses the same. {here}",
                part=fixed,
                title=title,
                here=here,
            ),
            field=Field.PART,
            offer=offer,
        )
    raise Refusal(
        say("“{part}” isn't an adaptable part of {title}. {here}", part=typed[:60], title=title, here=here),
        field=Field.PART,
        offer=offer,
    )


@dataclass(frozen=True, slots=True)
class PartTyped:
    """What was typed after `/cadence adapt`: the part it begins with, and the rest; None without a part."""

    part: str | None
    text: str


def adaptable_in(uow: UnitOfWork, views: Sequence[AdoptionView]) -> Done:
    """What can be changed in each of several playbooks and teams, with a button for each."""
    with uow.read():
        several = [view for view in views if view.spec.adaptable]
        if not several:
            raise Refusal("Nothing is adaptable in your playbooks: every team uses the same.")
        lines = Mrkdwn("\n").join(
            say(
                "• {playbook} in {team}: {parts}",
                playbook=view.playbook.title,
                team=view.team.title,
                parts=", ".join(view.spec.adaptable)[:200],
            )
            for view in several[:LISTED]
        )
        more = len(several) - LISTED
        rest = say("\nFor the other {count}, add the playbook and {team}.", count=more, team=code("team="))
        return Done(
            text=say(
                "What teams can change, by playbook. Where do you want to adapt a part?\n{lines}{rest}",
                lines=Mrkdwn(lines),
                rest=rest if more > 0 else "",
            ),
            offers=tuple(
                Offer(f"{view.playbook.title[:30]} · {view.team.title[:30]}", Action.ADAPT, str(view.id))
                for view in several[:LISTED]
            ),
        )


def part_typed(uow: UnitOfWork, *, playbook: str | None, team: str | None, typed: str) -> PartTyped:
    """Split what was typed into a part, adaptable or fixed, and the text after it.

    Raises:
        Refusal: it begins with no part of the playbook.
    """
    with uow.read():
        view = find_adoption(uow, playbook=playbook, team=team, reports=False)
        words = " ".join(typed.split())
        parts = sorted((*view.spec.adaptable, *view.spec.fixed), key=len, reverse=True)
        found = next((one for one in parts if _begins(words, one)), None)
        if found is None and words:
            require_adaptable(view, words)
        return PartTyped(found, words[len(found) :].lstrip(" :=") if found else "")


def _begins(words: str, part: str) -> bool:
    rest = words[len(part) :]
    return words.casefold().startswith(part.casefold()) and (not rest or not rest[0].isalnum())


def adapt_form(
    uow: UnitOfWork,
    *,
    playbook: str | None = None,
    team: str | None = None,
    adoption_id: int | None = None,
    part: str | None = None,
) -> tuple[AdaptForm, int]:
    """The form to adapt a part, and the adoption's id.

    Raises:
        Refusal: nothing is adaptable, or the part is fixed. NotAllowed: somebody from outside the team.
    """
    with uow.read():
        given = AdaptGiven(part or "", "", playbook=playbook, team=team, adoption_id=adoption_id)
        view = _view(uow, given)
        if not view.spec.adaptable:
            raise Refusal(
                say("Nothing in {title} is adaptable: every team uses the same.", title=view.playbook.title)
            )
        chosen = require_adaptable(view, part) if part else None
        if chosen is None and len(view.spec.adaptable) == 1:
            chosen = view.spec.adaptable[0]
        adapted = adapted_parts(uow, view)
        form = AdaptForm(
            playbook=view.playbook.title,
            team=view.team.title,
            parts=tuple(Choice(label=one, value=one[:150]) for one in view.spec.adaptable),
            fixed=view.spec.fixed,
            adapted=adapted,
            part=chosen,
            text=next((one.text for one in adapted if one.part == chosen), ""),
        )
        return form, view.id


def adapted_parts(uow: UnitOfWork, view: AdoptionView) -> tuple[AdaptedPart, ...]:
    """The parts that a team adapted and that the playbook still has."""
    return tuple(
        AdaptedPart(part=row.part, text=row.text, member=row.member, at=row.adapted_at.astimezone(view.zone))
        for row in waves.adaptations(uow, adoption_ids=[view.id])
        if row.part in view.spec.adaptable
    )


def compare_parts(uow: UnitOfWork, slug: str) -> PartsCompared:
    """What each team of a playbook adapted.

    Raises:
        Unknown: there is no such playbook. Refusal: no team runs it.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        views = adoption_views(uow, playbook_id=playbook.id)
        if not views:
            raise Refusal(say("No team runs {title} yet.", title=playbook.title))
        teams = [TeamParts(team=view.team.title, parts=adapted_parts(uow, view)) for view in views[:TEAMS]]
        return PartsCompared(
            playbook=playbook.title,
            adaptable=views[0].spec.adaptable,
            fixed=views[0].spec.fixed,
            teams=tuple(teams),
            more=max(0, len(views) - TEAMS),
            offers=(Offer("Compare teams", Action.COMPARE, playbook.slug),),
        )

"""Adopting: `/cadence adopt`, its form, the buttons that open it, and the settings of an adoption."""

import re
from dataclasses import dataclass, replace
from typing import Final

from cadence.flows.adoption import (
    AdoptionGiven,
    AdoptionSettings,
    NeedsForm,
    NeedsWave,
    adopt,
    adopt_form,
    adoption_form,
    let_in_form,
    save_adoption,
)
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.grammar.errors import shown
from handlers.grammar.words import Word
from handlers.payloads import Body, Form, metadata
from templates.contexts.adoption import AdoptForm, AdoptionSettingsForm, LetInForm
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Field

_CHAMPION: Final = re.compile(r"champion\s*=\s*(?:<@([A-Z0-9]+)(?:\|[^<>]*)?>)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(AboutPlaybook):
    """`/cadence adopt`. The team is that of `channel`, or the named one; `champion` is a Slack member ID."""

    channel: str | None = None
    champion: str | None = None


def read_adopt(request: Request) -> Adopt:
    """`/cadence adopt <playbook> [#channel] [champion=@x] [team=slug]`."""
    champion = _champion(request)
    channels = [word for word in request.typed.words if word.channel]
    request.typed.words = [word for word in request.typed.words if not word.channel]
    if len(channels) > 1:
        raise Refusal("Name only one channel: the one of the team that's adopting the playbook.")
    named = request.next_playbook(of_others=True)
    return Adopt(
        playbook=request.the_playbook(named),
        channel=channels[0].channel if channels else None,
        team=request.take_team(),
        champion=champion,
    )


def _champion(request: Request) -> str | None:
    """Take `champion=@x`, or the one person mentioned."""
    kept: list[Word] = []
    champions: list[str] = []
    for word in request.typed.words:
        found = _CHAMPION.fullmatch(word.raw)
        if found is None and word.raw.casefold().startswith("champion="):
            raise Refusal(
                say(
                    "{typed} isn't a member. Mention the person, like {right}.",
                    typed=shown(word.text),
                    right=code("champion=@lead"),
                )
            )
        if found is None:
            kept.append(word)
        elif found[1]:
            champions.append(found[1])
    request.typed.words = kept
    everyone = tuple(dict.fromkeys([*champions, *request.mentions()]))
    if len(everyone) > 1:
        raise Refusal(say("A team has one champion. Name one, like {one}.", one=code("champion=@lead")))
    return everyone[0] if everyone else None


_PARTS = 3


def by_command(context: RequestContext, command: Adopt) -> None:
    """`/cadence adopt`: immediately if team and champion are clear, else by form."""
    if command.playbook is None:
        context.open(adopt_form(context.uow, playbook=None, team=command.team, champion=command.champion))
        return
    given = AdoptionGiven(command.playbook, command.team, command.channel, command.champion)
    _meet(context, given)
    try:
        context.say(adopt(context.uow, given))
    except NeedsForm as ask:
        team, champion = command.team or ask.team, command.champion
        context.open(adopt_form(context.uow, playbook=command.playbook, team=team, champion=champion))


def by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Bring it to another team]: the form, for the playbook of the post."""
    context.open(adopt_form(context.uow, playbook=value or None))


def champion_added(context: RequestContext, value: str, _body: Body) -> None:
    """[Add them and adopt] in a refusal."""
    parts = value.split(":")
    if len(parts) != _PARTS or not all(parts):
        raise Refusal("This button has expired. Start over with `/cadence adopt`.")
    given = AdoptionGiven(parts[0], team=parts[1], champion=parts[2], add_champion=True)
    _meet(context, given)
    context.say(adopt(context.uow, given))


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext:
    """The form; a curator whose team needs a wave is then asked for a reason."""
    typed = form.read(AdoptForm)
    given = AdoptionGiven(typed.playbook or "", team=typed.team, champion=typed.champion)
    _meet(context, given)
    try:
        return adopt(context.uow, given)
    except NeedsWave as needed:
        if not needed.may_override:
            raise
    return replace(_let_in_form(context, given), private_metadata=metadata(p=given.playbook, t=given.team))


def _let_in_form(context: RequestContext, given: AdoptionGiven) -> ViewContext:
    return let_in_form(context.uow, playbook=given.playbook, team=given.team or "", champion=given.champion)


def let_in(context: RequestContext, value: str, _body: Body) -> None:
    """[Let it in anyway]: the form that asks why."""
    parts = value.split(":")
    if len(parts) != _PARTS or not all(parts[:2]):
        raise Refusal("This button has expired. Start over with `/cadence adopt`.")
    given = AdoptionGiven(parts[0], team=parts[1], champion=parts[2] or None)
    context.open(_let_in_form(context, given), ids=metadata(p=given.playbook, t=given.team))


def let_in_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form that says why a team is let in."""
    typed = form.read(LetInForm)
    given = AdoptionGiven(
        str(form.ids.get("p", "")),
        team=str(form.ids.get("t", "")),
        champion=typed.champion,
        reason=typed.reason,
    )
    _meet(context, given)
    return adopt(context.uow, given)


def _meet(context: RequestContext, given: AdoptionGiven) -> None:
    """Load Slack's data on a champion before they are checked."""
    context.services.meet(context.caller.workspace_id, given.champion or "")


def open_settings(context: RequestContext, playbook: str, team: str | None) -> None:
    """`/cadence settings` with a playbook: the form."""
    form, adoption = adoption_form(context.uow, playbook=playbook, team=team)
    context.open(form, ids=metadata(a=adoption))


def settings_submitted(context: RequestContext, form: Form) -> MessageContext:
    """The form of an adoption's settings."""
    given = AdoptionSettings(
        form.row("a"),
        champion=form.member(Field.CHAMPION),
        rule=form.option(Field.RULE),
        hours=form.text(Field.HOURS) if Field.HOURS in form.values else None,
        cycles=form.read(AdoptionSettingsForm).cycles,
    )
    return save_adoption(context.uow, given)


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="adopt",
            task="From one team to many",
            usage="<playbook> [#channel] [champion=@x] [team=slug]",
            summary="Bring a playbook to another team",
            who="owner",
            examples=("/cadence adopt support-reply team=support-us",),
            read=read_adopt,
            bare=Adopt,
            run=by_command,
            options=("team",),
            mentions=("champion",),
        ),
    ),
    buttons={Action.ADOPT: by_button, Action.ADD_CHAMPION: champion_added, Action.LET_IN: let_in},
    forms={
        Callback.ADOPT: submitted,
        Callback.ADOPTION_SETTINGS: settings_submitted,
        Callback.LET_IN: let_in_submitted,
    },
)

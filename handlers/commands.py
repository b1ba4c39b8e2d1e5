"""Every command of every feature in one table, the four slash commands that use it, and help."""

from typing import Any, Final

from slack_bolt import App

from cadence.flows.core import WorkspaceVocabulary, roles
from cadence.refusals import Refusal, Unknown
from handlers.context import RequestContext, Services
from handlers.features import FEATURES
from handlers.grammar import (
    CommandTable,
    Entry,
    Help,
    by_task,
    corrected,
    help_entries,
    help_rest,
    parse,
    read_help,
)
from handlers.grammar.table import WHO
from handlers.listeners import Typed, register_buttons, register_commands
from handlers.payloads import OLD_BUTTON, Body
from templates.contexts import answers
from templates.ids import Action


def help_(context: RequestContext, command: Help) -> None:
    """`help`: the commands for the person's roles, or for one topic; `help words` is the glossary."""
    if command.topic in answers.Words.TOPICS:
        context.say(answers.Words())
        return
    context.say(_help_on(context, command))


def _help_on(context: RequestContext, command: Help) -> answers.Help:
    held = roles(context.uow)
    found = help_entries(COMMANDS, command.topic, held)
    groups = tuple(
        answers.HelpGroup(task=task, entries=tuple(map(_described, entries)))
        for task, entries in by_task(found)
    )
    rest = () if command.topic else help_rest(COMMANDS, held)
    others = tuple(answers.HelpRest(who=who, names=names) for who, names in rest)
    return answers.Help(groups=groups, topic=command.topic, others=others)


def _described(entry: Entry[Any]) -> answers.HelpEntry:
    return answers.HelpEntry(
        name=entry.command,
        usage=entry.whole_usage,
        summary=entry.summary,
        who=WHO[entry.who],
        examples=entry.examples,
    )


HELP: Final = Entry(
    name="help",
    task="Teams and settings",
    usage="[topic|words]",
    summary="See what you can type, or how one command works",
    examples=("/cadence help", "/cadence help kpi", "/cadence help words"),
    bare=Help,
    run=help_,
    read=read_help,
    after="exception",
)
COMMANDS: Final = CommandTable([HELP, *(command for feature in FEATURES for command in feature.commands)])


def register(app: App, services: Services) -> None:
    """Listen for every slash command."""
    register_commands(app, services, {slash: _run(slash) for slash in COMMANDS.slashes})
    register_buttons(app, services, {Action.TYPE_IT: typed_again})


def typed_again(context: RequestContext, value: str, _body: Body) -> None:
    """The button next to "Did you mean": runs the command as if its text had been typed."""
    slash, _, text = value.partition(" ")
    if slash not in COMMANDS.slashes:
        raise Refusal(OLD_BUTTON)
    _run(slash)(context, text)


def _run(slash: str) -> Typed:
    def run(context: RequestContext, text: str) -> None:
        try:
            with context.uow.read() as uow:
                parsed = parse(COMMANDS, slash, text, WorkspaceVocabulary(uow))
            parsed.run(context)
        except Unknown as unknown:
            unknown.offer = unknown.offer or corrected(f"{slash} {text}", unknown)
            raise

    return run

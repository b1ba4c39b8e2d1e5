"""Every command of every feature in one table, the four slash commands that use it, and help."""

from collections.abc import Callable
from typing import Final

from slack_bolt import App

from cadence.flows.core import WorkspaceVocabulary, roles
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.context import RequestContext, Services
from handlers.features import FEATURES
from handlers.grammar import (
    CommandTable,
    Entry,
    Help,
    help_entries,
    help_rest,
    is_harmless,
    parse,
    read_help,
)
from handlers.grammar.table import WHO
from handlers.listeners import register_button, register_command
from handlers.payloads import Body
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
    entries = tuple(
        answers.HelpEntry(
            name=entry.command,
            usage=entry.whole_usage,
            summary=entry.summary,
            who=WHO[entry.who],
            examples=entry.examples,
        )
        for entry in help_entries(COMMANDS, command.topic, held)
    )
    rest = () if command.topic else help_rest(COMMANDS, held)
    others = tuple(answers.HelpRest(who=who, names=names) for who, names in rest)
    return answers.Help(entries=entries, topic=command.topic, others=others)


HELP: Final = Entry(
    name="help",
    usage="[topic|words]",
    summary="List what you can do, or explain one command",
    examples=("/cadence help", "/cadence help kpi", "/cadence help words"),
    bare=Help,
    run=help_,
    read=read_help,
    harmless="always",
    after="exception",
)
COMMANDS: Final = CommandTable([HELP, *(command for feature in FEATURES for command in feature.commands)])


def register(app: App, services: Services) -> None:
    """Listen for every slash command."""
    for slash in COMMANDS.slashes:
        register_command(app, services, slash, _run(slash))
    register_button(app, services, Action.TYPE_IT, typed_again)


def typed_again(context: RequestContext, value: str, _body: Body) -> None:
    """The button next to "Did you mean": runs the command, if it only shows something or opens a form."""
    slash, _, text = value.partition(" ")
    if slash not in COMMANDS.slashes or not is_harmless(COMMANDS, value):
        raise Refusal(say("Please type {line}.", line=code(value[:200])))
    _run(slash)(context, text)


def _run(slash: str) -> Callable[[RequestContext, str], None]:
    def run(context: RequestContext, text: str) -> None:
        with context.uow.read() as uow:
            parsed = parse(COMMANDS, slash, text, WorkspaceVocabulary(uow))
        parsed.run(context)

    return run

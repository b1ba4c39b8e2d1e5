"""The four slash commands: text in, one journey out."""

import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App

from cadence.flows.core import Lexicon, lexicon
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers import (
    adopting,
    checkins,
    cycles,
    exceptions,
    exports,
    handoffs,
    kpis,
    lessons,
    overview,
    pausing,
    people,
    playbook_form,
    playbooks,
    publishing,
    registry,
    rubrics,
    settings,
    standards,
    teams,
)
from handlers.context import Services, Turn
from handlers.grammar import Vocabulary, commands, is_harmless, parse
from handlers.listeners import register_button, register_command
from handlers.payloads import Body
from templates.ids import Action

_JOURNEYS: dict[type, Callable[[Turn, Any], None]] = {
    commands.Kpi: kpis.by_command,
    commands.Attest: checkins.by_command,
    commands.LogException: exceptions.by_command,
    commands.Help: overview.help_,
    commands.Status: overview.status,
    commands.Why: overview.why,
    commands.Digest: overview.digest,
    commands.NewPlaybook: playbook_form.new,
    commands.ImportPlaybook: playbooks.import_,
    commands.ShowPlaybook: playbooks.show,
    commands.ListPlaybooks: playbooks.list_,
    commands.ExportPlaybook: playbooks.export,
    commands.RevisePlaybook: playbooks.revise,
    commands.DiffPlaybook: publishing.diff,
    commands.MovePlaybook: publishing.move_,
    commands.RetirePlaybook: publishing.retire_,
    commands.PublishPlaybook: publishing.publish_,
    commands.Registry: registry.show,
    commands.CreateTeam: teams.create,
    commands.JoinTeam: teams.join,
    commands.LeaveTeam: teams.leave,
    commands.TeamMembers: teams.members,
    commands.TeamHolidays: teams.holidays,
    commands.Cycle: cycles.by_role,
    commands.StartCycle: cycles.start,
    commands.ShowCycle: cycles.show,
    commands.CloseCycle: pausing.close,
    commands.PauseCycle: pausing.pause_,
    commands.Rubric: rubrics.by_command,
    commands.ReviseRubric: rubrics.revise,
    commands.Adopt: adopting.by_command,
    commands.Learn: lessons.by_command,
    commands.Handoff: handoffs.by_command,
    commands.Settings: settings.open_form,
    commands.Away: people.away,
    commands.DeclareMode: standards.mode,
    commands.Trace: standards.trace,
    commands.Snooze: people.snooze,
    commands.Mute: people.mute,
    commands.Export: exports.by_command,
}


_DIGIT = re.compile(r"\d")
_SLASHES = ("/kpi", "/attest", "/exception", "/cadence")


def register(app: App, services: Services) -> None:
    """Listen for every slash command."""
    for name in _SLASHES:
        register_command(app, services, name, _run(name), finds_repeats=name == "/kpi")
    register_button(app, services, Action.TYPE_IT, typed_again)


def typed_again(turn: Turn, value: str, _body: Body) -> None:
    """The button beside "Did you mean": types the command, if it only shows something or opens a form."""
    slash, _, text = value.partition(" ")
    if slash not in _SLASHES or not is_harmless(value):
        raise Refusal(say("Please type it yourself: {line}.", line=code(value[:200])))
    _run(slash)(turn, text)


def _run(name: str) -> Callable[[Turn, str], None]:
    def run(turn: Turn, text: str) -> None:
        def read(words: Lexicon) -> commands.Command:
            vocabulary = Vocabulary(words.steps, words.teams, words.titles, words.others)
            return parse(name, text, vocabulary, words.today)

        whole = name != "/kpi"  # which names no steps, and a team only as `team=`
        teams = whole or "=" in text
        command: commands.Command | None
        if not whole and _DIGIT.search(text):  # without one there's no number to record
            command = kpis.by_words(turn, read, teams=teams)
        else:
            command = read(lexicon(turn.uow, steps=whole, teams=teams))
        if command is not None:
            _JOURNEYS[type(command)](turn, command)

    return run

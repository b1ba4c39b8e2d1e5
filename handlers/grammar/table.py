"""Every command there is: what `parse` reads, what mistyped words are compared with, what `help` prints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from handlers.grammar import commands, readers
from handlers.grammar.attest import attest
from handlers.grammar.commands import Command
from handlers.grammar.request import Request

Role = Literal["member", "owner", "curator"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One command.

    Args:
        slash: the slash command, `/kpi` or `/cadence`.
        name: the words after it, or the slash command's own name: `team create`, `kpi`. Also its help topic.
        usage: its arguments; `[…]` may be left out.
        summary: one line that completes "This …".
        who: the least role that may.
        examples: whole commands; each can be typed as it stands.
        read: from the words to the command.
        bare: the command when nothing is typed after it.
        options: the names of the `name=value` it takes.
    """

    slash: str
    name: str
    usage: str
    summary: str
    who: Role
    examples: tuple[str, ...]
    read: Callable[[Request], Command]
    bare: Callable[[], Command]
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a person types it, without arguments: `/kpi`, `/cadence team create`."""
        return self.slash if self.slash == f"/{self.name}" else f"{self.slash} {self.name}"


TABLE: Final[tuple[Entry, ...]] = (
    Entry(
        slash="/kpi",
        name="kpi",
        usage="[playbook] <value> [note] [week=N] [team=slug]",
        summary="records this week's number; again in the same week corrects it and keeps both",
        who="member",
        examples=("/kpi support-reply 14m", "/kpi 1h30m two people away", "/kpi 92% week=2"),
        read=readers.kpi,
        bare=commands.Kpi,
        options=("week", "team"),
    ),
    Entry(
        slash="/attest",
        name="attest",
        usage="[playbook] as-declared|drifted|not-run [runs=N] [step=mode …] [note] [week=N] [team=slug]",
        summary="answers your check-in",
        who="member",
        examples=("/attest as-declared runs=14", "/attest drifted draft=human-led", "/attest not-run"),
        read=attest,
        bare=commands.Attest,
        options=("runs", "week", "team"),
    ),
    Entry(
        slash="/exception",
        name="exception",
        usage="[playbook] <step> [critical] <reason> [link=…] [team=slug]",
        summary="logs one run in which a step left its rule",
        who="member",
        examples=("/exception send tone was off", "/exception support-reply send critical promised a refund"),
        read=readers.exception,
        bare=commands.LogException,
        options=("link", "team"),
    ),
    Entry(
        slash="/cadence",
        name="help",
        usage="[topic]",
        summary="lists what you can do, or explains one command",
        who="member",
        examples=("/cadence help", "/cadence help kpi"),
        read=readers.help_,
        bare=commands.Help,
    ),
    Entry(
        slash="/cadence",
        name="status",
        usage="[playbook] [team=slug]",
        summary="shows this week: gate, KPI against target, coverage, ratio against cap, verdicts",
        who="member",
        examples=("/cadence status", "/cadence status support-reply"),
        read=readers.status,
        bare=commands.Status,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="why",
        usage="<playbook> <step> [team=slug]",
        summary="shows a step's last verdicts with every number behind them",
        who="member",
        examples=("/cadence why support-reply send",),
        read=readers.why,
        bare=commands.Why,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="playbook import",
        usage="",
        summary="opens the form for a playbook's YAML",
        who="owner",
        examples=("/cadence playbook import",),
        read=lambda _: commands.ImportPlaybook(),
        bare=commands.ImportPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook show",
        usage="[playbook]",
        summary="shows a playbook: its KPI, mode map and rubric",
        who="member",
        examples=("/cadence playbook show support-reply",),
        read=lambda request: commands.ShowPlaybook(playbook=readers.playbook_only(request)),
        bare=commands.ShowPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook list",
        usage="",
        summary="lists the playbooks and their states",
        who="member",
        examples=("/cadence playbook list",),
        read=lambda _: commands.ListPlaybooks(),
        bare=commands.ListPlaybooks,
    ),
    Entry(
        slash="/cadence",
        name="playbook export",
        usage="[playbook]",
        summary="gives a playbook back as the YAML it came from",
        who="member",
        examples=("/cadence playbook export support-reply",),
        read=lambda request: commands.ExportPlaybook(playbook=readers.playbook_only(request)),
        bare=commands.ExportPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="team create",
        usage="[name] [#channel] [@member …]",
        summary="opens the form for a new team",
        who="owner",
        examples=("/cadence team create Support EMEA",),
        read=readers.create_team,
        bare=commands.CreateTeam,
    ),
    Entry(
        slash="/cadence",
        name="team join",
        usage="[team] [@member …]",
        summary="adds you, or the people you mention, to a team",
        who="member",
        examples=("/cadence team join support-emea",),
        read=readers.join_team,
        bare=commands.JoinTeam,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="team leave",
        usage="[team] [@member …]",
        summary="takes you, or the people you mention, out of a team",
        who="member",
        examples=("/cadence team leave support-emea",),
        read=readers.leave_team,
        bare=commands.LeaveTeam,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="team members",
        usage="[team]",
        summary="lists a team's members",
        who="member",
        examples=("/cadence team members support-emea",),
        read=lambda request: commands.TeamMembers(team=request.take_team()),
        bare=commands.TeamMembers,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="cycle start",
        usage="<playbook> [date] [team=slug]",
        summary="starts four weeks on a Monday",
        who="owner",
        examples=(
            "/cadence cycle start support-reply next monday",
            "/cadence cycle start support-reply 2026-12-21",
        ),
        read=readers.start_cycle,
        bare=commands.StartCycle,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="cycle show",
        usage="<playbook> [date] [team=slug]",
        summary="shows a cycle: its weeks, gates and readings",
        who="member",
        examples=("/cadence cycle show support-reply",),
        read=readers.show_cycle,
        bare=commands.ShowCycle,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="digest",
        usage="",
        summary="shows the weekly digest as it stands now",
        who="curator",
        examples=("/cadence digest",),
        read=lambda _: commands.Digest(),
        bare=commands.Digest,
    ),
    Entry(
        slash="/cadence",
        name="settings",
        usage="",
        summary="opens the workspace's settings",
        who="curator",
        examples=("/cadence settings",),
        read=lambda _: commands.Settings(),
        bare=commands.Settings,
    ),
    Entry(
        slash="/cadence",
        name="away",
        usage="<from..until|until|off> [@member]",
        summary="suspends your nudges while you are away",
        who="member",
        examples=("/cadence away 2026-12-20..2027-01-02", "/cadence away until friday", "/cadence away off"),
        read=readers.away,
        bare=commands.Away,
    ),
    Entry(
        slash="/cadence",
        name="snooze",
        usage="hour|tomorrow|friday",
        summary="moves your own check-in",
        who="member",
        examples=("/cadence snooze hour", "/cadence snooze tomorrow"),
        read=readers.snooze,
        bare=commands.Snooze,
    ),
    Entry(
        slash="/cadence",
        name="mute",
        usage="[off]",
        summary="stops reminders, never the check-in itself",
        who="member",
        examples=("/cadence mute", "/cadence mute off"),
        read=readers.mute,
        bare=commands.Mute,
    ),
)

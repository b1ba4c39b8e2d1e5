"""The `cadence` command. Each command is a line or two: read settings, call what does the work, say what happened."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot.settings import Settings, SettingsRefused, load_settings
from cadence.refusals import Refusal

app = typer.Typer(
    help="Rollout Cadence keeps a team's AI playbook to its standard, week after week.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Now = Annotated[str | None, typer.Option(help="An instant instead of now, ISO 8601 with its offset.")]
Team = Annotated[
    str | None, typer.Option("--team-id", help="The Slack workspace (T…), when there are several.")
]


class Stop(Exception):
    """Ends a command with sentences for the person and an exit code."""

    def __init__(self, *sentences: str, code: int = 2) -> None:
        self.sentences, self.code = sentences, code
        super().__init__(*sentences)


@contextmanager
def _sentences() -> Iterator[None]:
    """What goes wrong is said in sentences, never as a traceback."""
    from bot.gateway import SlackError  # noqa: PLC0415 - imported when a command runs, so that --help is quick

    try:
        yield
    except (SettingsRefused, Stop) as refused:
        for sentence in refused.sentences:
            typer.echo(sentence, err=True)
        raise typer.Exit(getattr(refused, "code", 2)) from None
    except Refusal as refused:
        for line in getattr(refused, "problems", None) or (refused.plain,):
            typer.echo(str(line), err=True)
        raise typer.Exit(2) from None
    except SlackError as refused:
        from bot.findings import slack_sentence  # noqa: PLC0415

        typer.echo(slack_sentence(refused), err=True)
        raise typer.Exit(2) from None


def _settings() -> Settings:
    from bot.logs import set_up_logs  # noqa: PLC0415

    settings = load_settings()
    set_up_logs(level=settings.cadence_log, form=settings.cadence_log_format)
    return settings


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"`{text}` is no instant. Write one such as 2026-12-17T09:00:00+01:00.") from None
    if moment.tzinfo is None:
        raise Stop(
            f"`{text}` has no offset, so it could be anywhere. "
            f"Write {moment.isoformat()}Z for UTC, or {moment.isoformat()}+01:00."
        )
    _require_year(text, moment.year)
    return moment.astimezone(UTC)


def _require_year(text: str, year: int) -> None:
    """Calendars are kept for these years only, and arithmetic on dates ends not far beyond."""
    if not 2000 <= year < 2100:
        raise Stop(f"`{text}` is not between the years 2000 and 2099.")


@app.command()
def run() -> None:
    """Run everything in one process: Socket Mode with Slack's tokens, else the built-in workspace."""
    with _sentences():
        settings = _settings()
        if settings.embedded:
            from bot.embedded import run_embedded  # noqa: PLC0415

            run_embedded(settings)
            return
        from bot.processes import run_socket_mode  # noqa: PLC0415

        run_socket_mode(settings)


@app.command()
def web() -> None:
    """Answer Slack over HTTP. Sending is the worker's."""
    with _sentences():
        from bot.processes import run_web  # noqa: PLC0415

        run_web(_settings())


@app.command()
def worker() -> None:
    """Plan what is due and send what is owed. Answering Slack is the web process's."""
    with _sentences():
        from bot.processes import run_worker  # noqa: PLC0415

        run_worker(_settings())


@app.command()
def sandbox(
    workspace: Annotated[Path | None, typer.Option(help="A workspace file: its people and channels.")] = None,
) -> None:
    """Start only the built-in workspace, and print how to point a bot at it."""
    with _sentences():
        from bot.embedded import run_sandbox  # noqa: PLC0415

        run_sandbox(_settings(), workspace)


@app.command()
def rehearse(
    playbook: Annotated[Path, typer.Argument(help="The playbook's YAML file.")],
    workspace: Annotated[Path, typer.Option(help="The workspace file.")],
    answers: Annotated[Path | None, typer.Option(help="Who says what when: a CSV file.")] = None,
    weeks: Annotated[int, typer.Option(min=1, max=60, help="How many weeks to play.")] = 4,
    start: Annotated[str | None, typer.Option(help="The Monday to start on, ISO.")] = None,
) -> None:
    """Play weeks in seconds with a simulated clock, and print who gets what, when, and every verdict."""
    with _sentences():
        from bot.logs import set_up_logs  # noqa: PLC0415
        from bot.rehearsal import FIRST_MONDAY, rehearse_files  # noqa: PLC0415

        set_up_logs(level="warning", form="text")
        first = FIRST_MONDAY if start is None else _monday(start)
        for line in rehearse_files(playbook, workspace, answers, weeks=weeks, first_monday=first):
            typer.echo(line)


def _monday(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Stop(f"`{text}` is no date. Write one such as 2026-03-02.") from None
    _require_year(text, day.year)
    if day.weekday() != 0:
        raise Stop(f"{text} is a {day:%A}, and a cycle starts on a Monday.")
    return day


@app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Workspace files and playbooks, in any order.")],
    team_id: Team = None,
) -> None:
    """Import workspace files and playbooks; all of a file or nothing of it."""
    with _sentences():
        from bot.commands import import_files  # noqa: PLC0415

        lines, refused = import_files(_settings(), files, team_id=team_id)
        for line in lines:
            typer.echo(line)
        if refused:
            raise Stop(*refused)


@app.command()
def export(
    playbooks: Annotated[
        list[str] | None, typer.Argument(help="A playbook's slug; none: the workspace file.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--csv", help="Write all that was recorded into this folder instead.")
    ] = None,
    team_id: Team = None,
) -> None:
    """Print a playbook, or the workspace file, as YAML that imports to the same rows; or write CSV files."""
    with _sentences():
        from bot.commands import export_csv, export_file  # noqa: PLC0415

        slugs = playbooks or []
        if folder is not None:
            for line in export_csv(_settings(), folder, slugs, team_id=team_id):
                typer.echo(line)
            return
        if len(slugs) > 1:
            raise Stop("One playbook at a time as YAML. Several go into a folder with --csv.")
        typer.echo(export_file(_settings(), slugs[0] if slugs else None, team_id=team_id), nl=False)


@app.command()
def tick(now: Now = None) -> None:
    """Plan and send what is due, once; for cron, or to catch up."""
    with _sentences():
        from bot.processes import tick_once  # noqa: PLC0415

        typer.echo(tick_once(_settings(), None if now is None else _instant(now)))


@app.command()
def plan(
    weeks: Annotated[int, typer.Option(min=1, max=26, help="How far ahead.")] = 1,
    now: Now = None,
) -> None:
    """Print what would be sent, to whom, when and in which zone. Sends nothing."""
    with _sentences():
        from bot.clocks import clock_of  # noqa: PLC0415
        from bot.commands import planned_lines  # noqa: PLC0415

        settings = _settings()
        moment = clock_of(settings)() if now is None else _instant(now)
        for line in planned_lines(settings, now=moment, weeks=weeks):
            typer.echo(line)


@app.command()
def deliveries(
    state: Annotated[str | None, typer.Option(help="due, sent, skipped or failed.")] = None,
    kind: Annotated[str | None, typer.Option(help="A kind of message, such as checkin.")] = None,
    to: Annotated[str | None, typer.Option(help="A channel's or member's ID, or a team's slug.")] = None,
    since: Annotated[str | None, typer.Option(help="Due since: 7d, 12h, a date, an ISO instant.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to show.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    team_id: Team = None,
) -> None:
    """Print what became of the messages that were owed: what was sent, what waits, what failed and why."""
    with _sentences():
        from bot.clocks import clock_of  # noqa: PLC0415
        from bot.deliveries import as_json as json_of  # noqa: PLC0415
        from bot.deliveries import as_lines, seen  # noqa: PLC0415
        from cadence.flows.deliveries import Asked  # noqa: PLC0415

        settings, asked = _settings(), Asked(state, kind, to, since, limit)
        found = seen(settings, asked, team_id=team_id, now=clock_of(settings)())
        for line in [json_of(found)] if as_json else as_lines(found, asked):
            typer.echo(line)


@app.command()
def whatif(
    playbook: Annotated[str, typer.Argument(help="A playbook's slug.")],
    cap: Annotated[str | None, typer.Option(help="Another cap: 0.08 or 8%.")] = None,
    step: Annotated[str | None, typer.Option(help="One step only.")] = None,
    rule: Annotated[str | None, typer.Option(help="balanced, strict or evidence.")] = None,
    min_runs: Annotated[int | None, typer.Option(help="The fewest runs the cap line needs.")] = None,
    confidence: Annotated[str | None, typer.Option(help="What the evidence line needs: 0.9 or 90%.")] = None,
    team_id: Team = None,
) -> None:
    """Print what another cap or threshold would have done to the weeks already recorded. Changes nothing."""
    with _sentences():
        from bot.whatif import read_thresholds, whatif_lines  # noqa: PLC0415

        asked = read_thresholds(cap=cap, rule=rule, min_runs=min_runs, confidence=confidence)
        told = partial(typer.echo, err=True)
        for line in whatif_lines(_settings(), playbook, asked, step=step, team_id=team_id, told=told):
            typer.echo(line)


@app.command()
def manifest(
    http: Annotated[str | None, typer.Option(help="The bot's public address; none: Socket Mode.")] = None,
    oauth: Annotated[
        bool, typer.Option("--oauth", help="Several workspaces install it by themselves.")
    ] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate-tokens", help="Their tokens end after 12 hours and are renewed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the app manifest to paste into Slack."""
    with _sentences():
        from bot.manifest import manifest as make  # noqa: PLC0415
        from bot.manifest import render_manifest  # noqa: PLC0415

        made = make(socket_mode=http is None, url=http, oauth=oauth, rotates=rotate)
        typer.echo(render_manifest(made, as_json=as_json))


@app.command()
def doctor() -> None:
    """Say in words what is missing: tokens, scopes, channels the bot isn't in, migrations to come."""
    with _sentences():
        from bot.doctor import examine  # noqa: PLC0415

        findings = examine(_settings())
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'TODO'}  {finding.what}")
            if not finding.ok and finding.remedy:
                typer.echo(f"      {finding.remedy}")
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@app.command()
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only compare tables and migrations.")] = False,
) -> None:
    """Bring the database to this version's tables."""
    with _sentences():
        from bot.commands import check_migrations, migrate_database  # noqa: PLC0415

        typer.echo(check_migrations() if check else migrate_database(load_settings()))


@app.command()
def forget(
    workspace: Annotated[str, typer.Argument(help="The Slack workspace (T…) that took the bot out.")],
    yes: Annotated[bool, typer.Option("--yes", help="Really delete.")] = False,
) -> None:
    """Delete every row of a workspace that took the bot out; without --yes only say how many there are."""
    with _sentences():
        from bot.commands import forget_workspace  # noqa: PLC0415

        typer.echo(forget_workspace(_settings(), workspace, really=yes))


def _reach_this_machine_directly() -> None:
    """No proxy leads to the built-in workspace; Slack's SDK would send requests for 127.0.0.1 to one."""
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if listed.strip() != "*":
        os.environ["no_proxy"] = ",".join(filter(None, (listed, "127.0.0.1", "localhost")))


def main() -> None:
    """The console script."""
    _reach_this_machine_directly()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)

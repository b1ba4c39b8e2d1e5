"""The `cadence` command. Each command is a line or two: read settings, call what does the work, say what happened."""

import gc
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot.ops.terminal import Stop, read_instant, read_monday, sentences, settings_and_logs
from bot.ops.terminal_output import show, show_findings, show_json, with_progress
from bot.settings import load_settings

GC_THRESHOLD = 50_000
"""New objects between two passes of the garbage collector. Python's 700 makes it walk the same modules and mappings
over and over: a tenth of a process's time."""

app = typer.Typer(
    help="Rollout Cadence keeps a team's AI playbook to its standard, week after week.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Now = Annotated[str | None, typer.Option(help="Use this instant instead of now: ISO 8601 with its offset.")]
Json = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Team = Annotated[
    str | None, typer.Option("--team-id", help="The Slack workspace (T…), if there are several.")
]


@app.command()
def run(
    example: Annotated[
        str | None, typer.Option(help="Another example for the built-in workspace: six-months.")
    ] = None,
) -> None:
    """Run everything in one process: Socket Mode with Slack's tokens, else the built-in workspace."""
    with sentences():
        settings = settings_and_logs()
        if settings.embedded:
            from bot.runtime.built_in import run_embedded  # noqa: PLC0415

            run_embedded(settings, example)
            return
        from bot.runtime.processes import run_socket_mode  # noqa: PLC0415

        run_socket_mode(settings)


@app.command()
def web() -> None:
    """Answer Slack over HTTP. `cadence worker` sends the messages."""
    with sentences():
        from bot.runtime.processes import run_web  # noqa: PLC0415

        run_web(settings_and_logs())


@app.command()
def worker() -> None:
    """Plan and send messages. `cadence web` answers Slack."""
    with sentences():
        from bot.runtime.processes import run_worker  # noqa: PLC0415

        run_worker(settings_and_logs())


@app.command()
def sandbox(
    workspace: Annotated[Path | None, typer.Option(help="A workspace file: its people and channels.")] = None,
    http: Annotated[
        str | None, typer.Option(help="Where `cadence web` answers, such as http://127.0.0.1:3001.")
    ] = None,
) -> None:
    """Start only the built-in workspace, and print how to connect a bot to it."""
    with sentences():
        from bot.runtime.built_in import run_sandbox  # noqa: PLC0415

        run_sandbox(settings_and_logs(), workspace, app_url=http)


@app.command()
def rehearse(
    playbook: Annotated[Path, typer.Argument(help="The playbook's YAML file.")],
    workspace: Annotated[Path, typer.Option(help="The workspace file.")],
    answers: Annotated[
        Path | None, typer.Option(help="An answers file (CSV): which member does what, and when.")
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=60, help="How many weeks to play.")] = 4,
    start: Annotated[str | None, typer.Option(help="The Monday to start on, such as 2026-03-02.")] = None,
) -> None:
    """Play weeks in seconds with a simulated clock, and print who gets what, when, and every verdict."""
    gc.disable()  # until everything is loaded
    with sentences():
        from bot.logs import set_up_logs  # noqa: PLC0415
        from bot.rehearsal.rehearse import FIRST_MONDAY, rehearse_files  # noqa: PLC0415

        gc.freeze()  # the program itself is never garbage
        gc.enable()
        set_up_logs(level="warning", form="text")
        first = FIRST_MONDAY if start is None else read_monday(start)
        lines = rehearse_files(playbook, workspace, answers, weeks=weeks, first_monday=first)
        for line in with_progress(lines, "Rehearsing"):
            typer.echo(line)


@app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Workspace files and playbooks, in any order.")],
    team_id: Team = None,
) -> None:
    """Import workspace files and playbooks; a file with a problem changes nothing."""
    with sentences():
        from bot.ops.commands import import_files  # noqa: PLC0415

        lines, refused = import_files(settings_and_logs(), files, team_id=team_id)
        for line in lines:
            typer.echo(line)
        if refused:
            raise Stop(*refused)


@app.command()
def export(
    playbooks: Annotated[
        list[str] | None, typer.Argument(help="A playbook's slug. Without one: the workspace file.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--csv", help="Write all records into this folder instead.")
    ] = None,
    team_id: Team = None,
) -> None:
    """Print a playbook, or the workspace file, as YAML that imports to the same rows; or write CSV files."""
    with sentences():
        from bot.ops.commands import export_csv, export_file  # noqa: PLC0415

        slugs = playbooks or []
        if folder is not None:
            for line in export_csv(settings_and_logs(), folder, slugs, team_id=team_id):
                typer.echo(line)
            return
        if len(slugs) > 1:
            raise Stop("Only one playbook can be printed as YAML. Use --csv to write several into a folder.")
        typer.echo(export_file(settings_and_logs(), slugs[0] if slugs else None, team_id=team_id), nl=False)


@app.command()
def tick(now: Now = None) -> None:
    """Plan and send what is due, once; for cron, or to catch up."""
    with sentences():
        from bot.runtime.processes import tick_once  # noqa: PLC0415

        typer.echo(tick_once(settings_and_logs(), None if now is None else read_instant(now)))


@app.command()
def plan(
    weeks: Annotated[int, typer.Option(min=1, max=26, help="How far ahead.")] = 1,
    now: Now = None,
    json: Json = False,
) -> None:
    """Print what would be sent, to whom, when and in which zone. Sends nothing."""
    with sentences():
        from bot.ops.plan import as_json, as_parts, planned  # noqa: PLC0415
        from bot.runtime.clocks import clock_of  # noqa: PLC0415

        settings = settings_and_logs()
        moment = clock_of(settings)() if now is None else read_instant(now)
        found, names = planned(settings, now=moment, weeks=weeks)
        show_json(as_json(found, names)) if json else show(as_parts(found, names))


@app.command()
def deliveries(
    state: Annotated[str | None, typer.Option(help="due, sent, skipped or failed.")] = None,
    kind: Annotated[str | None, typer.Option(help="A kind of message, such as check-in.")] = None,
    to: Annotated[
        str | None, typer.Option(help="A member's name, a team's slug, curators, or an ID.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Due since: 7d, 12h, a date, an ISO instant.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to show.")] = 50,
    json: Json = False,
    team_id: Team = None,
) -> None:
    """Print what happened to each message: sent, waiting, skipped or failed, and why."""
    with sentences():
        from bot.ops.report import as_json, as_parts, seen  # noqa: PLC0415
        from bot.runtime.clocks import clock_of  # noqa: PLC0415
        from cadence.flows.outbox import Asked  # noqa: PLC0415

        settings, asked = settings_and_logs(), Asked(state, kind, to, since, limit)
        found = seen(settings, asked, team_id=team_id, now=clock_of(settings)())
        show_json(as_json(found)) if json else show(as_parts(found, asked))


@app.command()
def whatif(
    playbook: Annotated[str, typer.Argument(help="A playbook's slug.")],
    cap: Annotated[str | None, typer.Option(help="Another cap: 0.08 or 8%.")] = None,
    step: Annotated[str | None, typer.Option(help="One step only.")] = None,
    rule: Annotated[str | None, typer.Option(help="balanced, strict or evidence.")] = None,
    min_runs: Annotated[int | None, typer.Option(help="The fewest runs for a demotion by the cap.")] = None,
    confidence: Annotated[
        str | None, typer.Option(help="The probability for a demotion by evidence: 0.9 or 90%.")
    ] = None,
    json: Json = False,
    team_id: Team = None,
) -> None:
    """Print what another cap or threshold would have done in the weeks already recorded. Changes nothing."""
    with sentences():
        from bot.ops.whatif import as_json, as_parts, judged_again, read_thresholds  # noqa: PLC0415

        asked = read_thresholds(cap=cap, rule=rule, min_runs=min_runs, confidence=confidence)
        told = partial(typer.echo, err=True)
        found = judged_again(settings_and_logs(), playbook, asked, step=step, team_id=team_id, told=told)
        show_json(as_json(found)) if json else show(as_parts(found, asked))


@app.command()
def manifest(
    http: Annotated[
        str | None, typer.Option(help="The bot's public address. Without it: Socket Mode.")
    ] = None,
    oauth: Annotated[
        bool, typer.Option("--oauth", help="For an app that several workspaces install.")
    ] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate-tokens", help="Tokens expire after 12 hours and are renewed.")
    ] = False,
    workflow_steps: Annotated[
        bool, typer.Option("--workflow-steps", help="Add steps for Workflow Builder; they need a paid plan.")
    ] = False,
    assistants: Annotated[
        bool, typer.Option("--assistants", help="Let Slackbot call the MCP server; needs --http.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of YAML.")] = False,
) -> None:
    """Print the app manifest to paste into Slack."""
    with sentences():
        from bot.ops.manifest import manifest as make  # noqa: PLC0415
        from bot.ops.manifest import render_manifest  # noqa: PLC0415

        made = make(
            socket_mode=http is None,
            url=http,
            oauth=oauth,
            rotates=rotate,
            workflow_steps=workflow_steps,
            assistants=assistants,
        )
        typer.echo(render_manifest(made, as_json=as_json))


@app.command()
def doctor(json: Json = False) -> None:
    """Check tokens, scopes, channels, people and the database, and say how to fix what's missing."""
    with sentences():
        from bot.ops.doctor import examine  # noqa: PLC0415

        findings = examine(settings_and_logs())
        if json:
            show_json([{"ok": one.ok, "what": one.what, "remedy": one.remedy} for one in findings])
        else:
            show_findings(findings)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@app.command()
def migrate(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="For developers: compare the tables with the migrations. Changes nothing.",
        ),
    ] = False,
) -> None:
    """Update the database to this version's tables."""
    with sentences():
        from bot.ops.commands import check_migrations, migrate_database  # noqa: PLC0415

        typer.echo(check_migrations() if check else migrate_database(load_settings()))


@app.command()
def forget(
    workspace: Annotated[str, typer.Argument(help="The Slack workspace (T…) that uninstalled the bot.")],
    yes: Annotated[bool, typer.Option("--yes", help="Really delete.")] = False,
) -> None:
    """Delete every row of a workspace that uninstalled the bot; without --yes only count them."""
    with sentences():
        from bot.ops.commands import forget_workspace  # noqa: PLC0415

        typer.echo(forget_workspace(settings_and_logs(), workspace, really=yes))


def _reach_this_machine_directly() -> None:
    """Bypass proxies for the built-in workspace; Slack's SDK would send requests for 127.0.0.1 to one."""
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if listed.strip() != "*":
        os.environ["no_proxy"] = ",".join(filter(None, (listed, "127.0.0.1", "localhost")))


def main() -> None:
    """The console script."""
    gc.set_threshold(GC_THRESHOLD)
    _reach_this_machine_directly()
    os.umask(0o077)  # what is written may include tokens or reports
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()  # else Python searches everything for garbage before it exits: a second after a rehearsal

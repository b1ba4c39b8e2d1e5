"""Helpers for terminal commands: settings, dates, and how errors are shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import typer

from bot.settings import Settings, SettingsRefused, load_settings
from cadence.refusals import Refusal
from cadence.rules.calendar import YEARS


class Stop(Exception):
    """Ends a command with sentences for the person and an exit code."""

    def __init__(self, *sentences: str, code: int = 2) -> None:
        self.sentences, self.code = sentences, code
        super().__init__(*sentences)


@contextmanager
def sentences() -> Iterator[None]:
    """Show errors as sentences, never as a traceback."""
    from bot.delivery.gateway import SlackError  # noqa: PLC0415 - imported when a command runs, so that --help is quick

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
        from bot.ops.findings import slack_sentence  # noqa: PLC0415

        typer.echo(slack_sentence(refused), err=True)
        raise typer.Exit(2) from None


def settings_and_logs() -> Settings:
    """Load the settings, and configure logging accordingly.

    Raises:
        SettingsRefused: they are invalid.
    """
    from bot.logs import set_up_logs  # noqa: PLC0415

    settings = load_settings()
    set_up_logs(level=settings.cadence_log, form=settings.cadence_log_format)
    return settings


def read_instant(text: str) -> datetime:
    """Parse an instant in UTC.

    Raises:
        Stop: it is invalid, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"`{text}` isn't a date and time. Write one such as 2026-12-17T09:00:00+01:00.") from None
    if moment.tzinfo is None:
        raise Stop(
            f"`{text}` has no UTC offset. Write {moment.isoformat()}Z for UTC, or {moment.isoformat()}+01:00."
        )
    _require_year(text, moment.year)
    return moment.astimezone(UTC)


def _require_year(text: str, year: int) -> None:
    if year not in YEARS:
        raise Stop(f"`{text}` is not between the years {YEARS[0]} and {YEARS[-1]}.")


def read_monday(text: str) -> date:
    """Parse a Monday.

    Raises:
        Stop: it isn't a date, or is another day of the week.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Stop(f"`{text}` isn't a date. Write one such as 2026-03-02.") from None
    _require_year(text, day.year)
    if day.weekday() != 0:
        raise Stop(f"{text} is a {day:%A}. Cycles start on a Monday.")
    return day

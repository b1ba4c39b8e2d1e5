"""The charts: an adoption's KPI by week, the teams of a playbook side by side, a rollout by month.

Color alone never carries meaning: each line has its own dashes and its own label. The same values give the
same bytes.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from cadence.rules.kpi import Unit, format_amount
from cadence.rules.percent import percent_of
from cadence.rules.trend import XmrLimits, xmr_limits
from templates.filters import MONTHS, name, plural, short_day

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE: Final = (8.0, 4.0)
_DPI: Final = 110
_MOST_LABELS: Final = 12
_MOST_DATES: Final = 8
# The palette of Okabe and Ito, which people with color blindness can tell apart.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#007A5A", "#616061"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One week: its Monday, its cycle's number, and the reading, None if there was none.

    `watched`: it came after the last planned cycle.
    """

    week_start: date
    cycle: int
    value: float | None
    watched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The data of a chart. At least one point; numbers are in `unit`.

    Args:
        usual_from: how many of the first weeks give the usual range; None for all.
        runs: per week, drawn below the KPI; None for a week without check-ins. Empty for none.
    """

    kpi: str
    unit: str
    baseline: float
    target: float
    points: tuple[Point, ...]
    usual_from: int | None = None
    runs: tuple[int | None, ...] = ()

    @property
    def limits(self) -> XmrLimits | None:
        """The usual range; None with too few readings."""
        return xmr_limits([p.value for p in self.points[: self.usual_from]])

    @property
    def title(self) -> str:
        """The file's title."""
        first, last = self.points[0].week_start, self.points[-1].week_start
        return f"{name(self.kpi, 60)} by week, {short_day(first)} to {short_day(last)}"

    @property
    def text(self) -> str:
        """Alternative text of the chart: every number, oldest first; 1,000 characters at most."""
        shown = self.points[-16:]
        numbers = ", ".join("no reading" if p.value is None else self.amount(p.value) for p in shown)
        weeks = f"last {len(shown)} weeks" if len(self.points) > len(shown) else "week by week"
        limits = self.limits
        runs = ", ".join("none" if one is None else f"{one:,}" for one in self.runs[-16:])
        usual = (
            f" Usual range {self.amount(_short(limits.lower))} to {self.amount(_short(limits.upper))}."
            if limits
            else ""
        )
        return (
            f"{name(self.kpi, 60)}, {weeks}: {numbers}. "
            f"Target {self.amount(self.target)}, baseline {self.amount(self.baseline)}.{usual}"
            + (f" Runs a week: {runs}." if runs else "")
        )[:1000]

    def amount(self, value: float) -> str:
        """A number with its unit."""
        return format_amount(value, Unit(self.unit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A team's bar: the baseline and the number of its last closed cycle, in the KPI's unit; `met` its target."""

    team: str
    baseline: float
    value: float
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsChart:
    """How far each team moved a KPI from its baseline, against the target. At least one bar, in `unit`."""

    playbook: str
    kpi: str
    unit: str
    target: float
    bars: tuple[Bar, ...]

    @property
    def title(self) -> str:
        """The file's title."""
        return f"{name(self.kpi, 60)} by team, {name(self.playbook, 60)}"

    @property
    def text(self) -> str:
        """Alternative text of the chart: every team's numbers; 1,000 characters at most."""
        told = ", ".join(
            f"{name(bar.team, 20)} {self.amount(bar.baseline)} to {self.amount(bar.value)}"
            f"{' (met)' if bar.met else ''}"
            for bar in self.bars
        )
        return f"{name(self.kpi, 60)} by team: {told}. Target {self.amount(self.target)}."[:1_000]

    def amount(self, value: float) -> str:
        """A number with its unit."""
        return format_amount(value, Unit(self.unit))


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBars:
    """A month's counts; see `ProcessMonth`."""

    first: date
    published: int
    adopted: int
    completed: int
    exceptions: int
    runs: int
    so_far: bool = False
    measured: int = 0

    @property
    def label(self) -> str:
        """`Nov`."""
        return MONTHS[self.first.month - 1]

    @property
    def share(self) -> str:
        """Exceptions as a share of the measured and reported runs; empty with too few runs."""
        return percent_of(self.exceptions, self.runs)

    @property
    def rate(self) -> str:
        """The share in words; the counts with too few runs."""
        if not (self.runs or self.exceptions):
            return "no runs"
        return self.share or f"{self.exceptions:,} in {plural(self.runs, 'run')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessChart:
    """What a rollout did by month, in four small charts. At least one month, newest last."""

    months: tuple[MonthBars, ...]

    @property
    def title(self) -> str:
        """The file's title."""
        first, last = self.months[0], self.months[-1]
        span = f"{last.label} {last.first.year}"
        if first != last:
            year = f" {first.first.year}" if first.first.year != last.first.year else ""
            span = f"{first.label}{year} to {span}"
        return f"Rollout by month, {span}{' so far' if last.so_far else ''}"

    @property
    def rate_name(self) -> str:
        """The name of the share of exceptions, with what it is a share of."""
        measured = "measured and " if any(one.measured for one in self.months) else ""
        return f"Exceptions, share of {measured}reported runs"

    @property
    def text(self) -> str:
        """Alternative text of the chart: every number; 1,000 characters at most."""
        rates = [f"{one.label} {one.rate}" for one in self.months]
        told = [f"{name}: {', '.join(values)}" for name, values in self.series] + [
            f"{self.rate_name}: {', '.join(rates)}"
        ]
        return f"{self.title}. {'. '.join(told)}."[:1_000]

    @property
    def series(self) -> tuple[tuple[str, list[str]], ...]:
        """The three counts in words, by the name of each."""
        return tuple(
            (words, [f"{one.label} {getattr(one, field):,}" for one in self.months])
            for field, words in _COUNTS.items()
        )


_COUNTS: Final = {
    "published": "Playbooks published",
    "adopted": "Teams that adopted one",
    "completed": "Cycles completed",
}

AnyChart = Chart | TeamsChart | ProcessChart


@lru_cache(maxsize=16)
def draw(chart: AnyChart) -> bytes:
    """The chart as a PNG, 880 pixels wide. The team and the curators get the same one, drawn once."""
    if isinstance(chart, ProcessChart):
        return _draw_process(chart)
    return _draw_teams(chart) if isinstance(chart, TeamsChart) else _draw_weeks(chart)


def _draw_process(chart: ProcessChart) -> bytes:
    """Four small charts with the same months: three of bars, and the exceptions' share as a line."""
    # Imported here: it takes a second and 40 MB, and most processes never draw.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained", facecolor="white")
    places = list(figure.subplots(2, 2).flat)
    at = list(range(len(chart.months)))
    for axes, (field, words) in zip(places, _COUNTS.items(), strict=False):
        values = [getattr(one, field) for one in chart.months]
        bars = axes.bar(at, values, color=_BLUE, width=0.6, edgecolor="white")
        if chart.months[-1].so_far:
            bars[-1].set_hatch("//")
        axes.bar_label(bars, [f"{one:,}" for one in values], padding=2, fontsize=9, color="#1d1c1d")
        axes.set_ylim(0, max([*values, 1]) * 1.25)
        _small(axes, words, chart)
    rates = [one.exceptions / one.runs * 100 if one.share else float("nan") for one in chart.months]
    axes = places[-1]
    axes.plot(at, rates, color=_ORANGE, linewidth=2, marker="o", markersize=6)
    for place, one in enumerate(chart.months):
        if one.share:
            axes.annotate(
                one.share, (place, rates[place]), xytext=(0, 7), textcoords="offset points", ha="center",
                fontsize=9 if len(at) <= _MOST_DATES else 7.5, color="#1d1c1d", parse_math=False, zorder=5,
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
            )  # fmt: skip
    known = [rate for rate, one in zip(rates, chart.months, strict=True) if one.share]
    top = max([*known, 1.0])
    axes.set_ylim(-0.12 * top, top * 1.35)  # room below a dot at 0%
    _small(axes, chart.rate_name, chart)
    figure.suptitle(chart.title, x=0.005, ha="left", fontsize=11, fontweight="bold", parse_math=False)
    return _png(figure)


def _small(axes: "Axes", words: str, chart: ProcessChart) -> None:
    """A small chart's title and months; its numbers are at its bars and dots."""
    axes.set_title(words, loc="left", fontsize=9.5)
    axes.set_xticks(range(len(chart.months)), [one.label for one in chart.months], fontsize=8.5)
    axes.set_xlim(-0.6, len(chart.months) - 0.4)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _draw_teams(chart: TeamsChart) -> bytes:
    """A bar per team, from its baseline to its number, worst first as in the table; the target is a line."""
    # Imported here: it takes a second and 40 MB, and most processes never draw.
    from matplotlib.figure import Figure  # noqa: PLC0415

    height = max(2.4, 0.42 * len(chart.bars) + 1.2)
    figure = Figure(figsize=(_SIZE[0], height), dpi=_DPI, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    at = range(len(chart.bars))
    axes.barh(
        list(at),
        [bar.value - bar.baseline for bar in chart.bars],
        left=[bar.baseline for bar in chart.bars],
        color=[_GREEN if bar.met else _ORANGE for bar in chart.bars],
        hatch=["" if bar.met else "//" for bar in chart.bars],
        edgecolor="white",
        height=0.6,
    )
    axes.axvline(chart.target, color=_BLUE, linewidth=1.8, linestyle=(0, (6, 3)))
    axes.annotate(
        f"target {chart.amount(chart.target)}", (chart.target, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", fontsize=9, color=_BLUE, ha="center", parse_math=False,
        annotation_clip=False,
    )  # fmt: skip
    for place, bar in enumerate(chart.bars):
        words = (
            f"{chart.amount(bar.baseline)} → {chart.amount(bar.value)} {'✓ met' if bar.met else 'not met'}"
        )
        axes.annotate(
            words, (max(bar.baseline, bar.value), place), xytext=(6, 0), textcoords="offset points", fontsize=9,
            color="#1d1c1d", va="center", ha="left", parse_math=False, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(list(at), [name(bar.team, 24) for bar in chart.bars])
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.xaxis.set_major_formatter(lambda value, _at: chart.amount(round(float(value), 6)))
    for text in (*axes.get_yticklabels(), *axes.get_xticklabels()):
        text.set_parse_math(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(chart.title, loc="left", fontsize=11, fontweight="bold", parse_math=False, pad=18)
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above

    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a character missing in the font is drawn as a box
        # `savefig` would lay it out twice
        FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return out.getvalue()


def _draw_weeks(chart: Chart) -> bytes:
    """The readings by week, 880 × 440 pixels."""
    # Imported here: it takes a second and 40 MB, and most processes never draw.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained", facecolor="white")
    axes, below = _places(figure, chart)
    labels = _lines(axes, chart)
    _readings(axes, chart)
    _frame(axes, chart)
    _label(axes, chart, labels)
    if below is not None:
        _runs(below, chart)
    return _png(figure)


def _places(figure: "Figure", chart: Chart) -> "tuple[Axes, Axes | None]":
    """Where the KPI is drawn, and the runs below it, if any."""
    if not chart.runs:
        return figure.add_subplot(), None
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    return above, below


def _runs(axes: "Axes", chart: Chart) -> None:
    """A bar per week; a week without check-ins has none."""
    axes.bar(range(len(chart.runs)), [one or 0 for one in chart.runs], color=_GREY, width=0.6)
    axes.set_title("Runs a week", loc="left", fontsize=9)
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _lines(axes: "Axes", chart: Chart) -> list[tuple[float, str, str]]:
    """The baseline, the target, and the usual range: (height, text, color) of each label."""
    limits = chart.limits
    labels = [
        (chart.baseline, f"baseline {chart.amount(chart.baseline)}", _ORANGE),
        (chart.target, f"target {chart.amount(chart.target)}", _GREEN),
    ]
    if limits is not None:
        axes.axhspan(limits.lower, limits.upper, facecolor=_GREY, alpha=0.10, linewidth=0)
        for edge, word in ((limits.lower, "from"), (limits.upper, "up to")):
            axes.axhline(edge, color=_GREY, linewidth=1, linestyle=(0, (1, 2)))
            labels.append((edge, f"usual {word} {chart.amount(_short(edge))}", _GREY))
    axes.axhline(chart.baseline, color=_ORANGE, linewidth=1.4, linestyle=(0, (6, 3)))
    axes.axhline(chart.target, color=_GREEN, linewidth=1.8)
    return labels


def _label(axes: "Axes", chart: Chart, labels: list[tuple[float, str, str]]) -> None:
    """The lines' labels at their right ends, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    least, at = (high - low) * 0.055, float("-inf")
    for y, words, color in sorted(labels):
        at = max(y, at + least)
        axes.annotate(
            words, (len(chart.points) - 0.5, at), xytext=(6, 0), textcoords="offset points", color=color,
            fontsize=9, va="center", ha="left", annotation_clip=False, parse_math=False,
        )  # fmt: skip


def _short(value: float) -> float:
    """Format a limit with three significant figures."""
    return float(f"{value:.3g}")


def _readings(axes: "Axes", chart: Chart) -> None:
    """A dot per reading, joined where weeks are consecutive; a week without one leaves a gap."""
    values = [float("nan") if p.value is None else p.value for p in chart.points]
    axes.plot(range(len(values)), values, color=_BLUE, linewidth=2, marker="o", markersize=6)
    known = [p.value for p in chart.points if p.value is not None]
    lines = (chart.target, chart.baseline)
    room = (max(*known, *lines) - min(*known, *lines)) / 8 if known else 0.0
    for at in _labelled([p.value for p in chart.points]):
        is_under = any(
            values[at] < line <= values[at] + room for line in lines
        )  # above, the line would cross it
        axes.annotate(
            chart.amount(values[at]), (at, values[at]), xytext=(0, -16 if is_under else 8),
            textcoords="offset points", ha="center", fontsize=9, color="#1d1c1d", parse_math=False, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
        )  # fmt: skip


def _labelled(values: Sequence[float | None]) -> list[int]:
    """The readings that get a number: all of a few, else the first and the last."""
    known = [at for at, value in enumerate(values) if value is not None]
    return known if len(known) <= _MOST_LABELS else [known[0], known[-1]]


def _frame(axes: "Axes", chart: Chart) -> None:
    """Weeks below, cycles above, and as little else as possible."""
    count = len(chart.points)
    every = max(1, -(-count // _MOST_DATES))
    axes.set_xticks(range(0, count, every), [short_day(p.week_start) for p in chart.points[::every]])
    axes.set_xlim(-0.5, count - 0.5)
    axes.margins(y=0.15)
    axes.yaxis.set_major_formatter(lambda value, _at: chart.amount(round(float(value), 6)))
    for text in (*axes.get_yticklabels(), *axes.get_xticklabels()):
        text.set_parse_math(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    heading: dict[str, Any] = {"loc": "left", "fontsize": 11, "fontweight": "bold", "parse_math": False}
    axes.set_title(f"{name(chart.kpi, 60)} by week", **heading)
    for at in range(1, count):
        now, before = chart.points[at], chart.points[at - 1]
        if now.cycle != before.cycle and not (now.watched and before.watched):
            axes.axvline(at - 0.5, color=_GREY, linewidth=0.8, alpha=0.6)
            axes.annotate(
                "watched" if now.watched else f"cycle {now.cycle}", (at - 0.5, 1), xycoords=("data", "axes fraction"),
                xytext=(4, -2), textcoords="offset points", fontsize=8, color=_GREY, va="top",
            )  # fmt: skip

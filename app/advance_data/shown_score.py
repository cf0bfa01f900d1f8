"""Scores, times and what is owed as pages show them; texts are English ones for gettext."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final

from app.advance_data.measured import FileScore, Report, Sender, WeekScore
from app.advance_data.models import Filing
from app.advance_data.scoring import (
    WORST,
    Figures,
    Gain,
    Kind,
    Score,
    ScoredPart,
    Word,
    gains,
    score_of,
    signal_of,
    worst_rules,
)
from app.advance_data.timing import Event, Moment, Timeliness

TENTHS: Final = 10
UNDATED: Final = "Tell when the ships leave and arrive: their time cannot be judged without it."
SIGNAL_WORDS: Final = {
    Word.GOOD: ("Good", "success"),
    Word.WATCH: ("To watch", "warning"),
    Word.POOR: ("Poor", "danger"),
    Word.UNKNOWN: ("Not known", "neutral"),
}
SIGNAL_MEANINGS: Final = {
    Word.GOOD: "What is known to be right is nearly all there is.",
    Word.WATCH: "A part of it is wrong, late or cannot be judged.",
    Word.POOR: "Much of it is wrong, late or cannot be judged.",
    Word.UNKNOWN: "Too little was sent lately to judge by. That speaks for nobody: it weighs like a"
    " poor score.",
}
TIME_WORDS: Final = {
    Timeliness.ON_TIME: ("On time", "success"),
    Timeliness.LATE: ("Late", "danger"),
    Timeliness.UNKNOWN: ("Not known", "neutral"),
    Timeliness.OPEN: ("Owed", "progress"),
    Timeliness.OVERDUE: ("Overdue", "danger"),
}
EVENT_WORDS: Final = {
    Event.DEPARTURE: "before the ship leaves",
    Event.ARRIVAL: "before the ship arrives",
}


def points(given: Fraction) -> str:
    """With one decimal, rounded down: nobody reaches what is not reached."""
    return f"{math.floor(given * TENTHS) / TENTHS:.1f}"


def gained(given: Fraction) -> str:
    """What may be won; less than a tenth is said as such."""
    return points(given) if given * TENTHS >= 1 else "< 0.1"


def span(lowest: Fraction, highest: Fraction) -> str:
    """A number, or the two between which it lies."""
    low, high = points(lowest), points(highest)
    return low if lowest == highest else f"{low} \N{EN DASH} {high}"


def range_of(score: Score) -> str:
    """The score, as a number or the two between which it lies."""
    return span(score.lowest, score.highest)


def text_of(score: Score | None) -> str:
    """The same, empty where nothing is known."""
    return "" if score is None else range_of(score)


def advice_of(gain: Gain) -> str:
    """What to do for this gain."""
    if gain.kind is not None:
        return gain.kind.message
    return UNDATED if gain.unknown else gain.part.advice


def certain(moment: Moment | None) -> datetime | None:
    """The instant, if it is known exactly."""
    return moment.earliest if moment is not None and moment.exact else None


def turn_of(filing: Filing, *, for_client: bool) -> str:
    """Whose turn it is to complete a filing; never the agency's, which waits for it.

    `for_client` says that a broker's person looks, who sees what came through the broker alone.
    """
    if filing.acting_trader_id is None:
        return "The company's" if for_client else "Yours"
    return "Yours" if for_client else "Your broker's"


@dataclass(frozen=True, slots=True)
class Shown:
    """A score for a page: its number or span, the parts, what to mend first, the worst rules.

    `text` is empty where nothing is known. Each of `parts` is a part and its points; each of
    `gains` what to do, the field it is about, how often and for how many points.
    """

    text: str
    span: bool
    rows: int
    figures: Figures
    parts: Sequence[tuple[ScoredPart, str, str]]
    gains: Sequence[tuple[Gain, str, str]]
    worst: Sequence[tuple[Kind, int]]
    word: Word


def shown(figures: Figures) -> Shown:
    """Everything about these figures that a page shows."""
    score = score_of(figures)
    return Shown(
        text="" if score is None else range_of(score),
        span=score is not None and not score.certain,
        rows=figures.rows,
        figures=figures,
        parts=[]
        if score is None
        else [(one, span(one.lowest, one.highest), points(one.out_of)) for one in score.parts],
        gains=[(one, advice_of(one), gained(one.points)) for one in gains(figures)[:WORST]],
        worst=worst_rules(figures),
        word=signal_of(figures),
    )


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report for a page."""

    report: Report
    whole: Shown
    drawing: "Drawing"
    weeks: Sequence[tuple[WeekScore, str]]
    senders: Sequence[tuple[Sender, str]]
    files: Sequence[tuple[FileScore, str, str]]


def shown_report(report: Report) -> ShownReport:
    """Everything about a report that a page shows."""
    return ShownReport(
        report,
        shown(report.figures),
        drawing_of(report.weeks),
        [(one, text_of(one.score)) for one in report.weeks],
        [(one, text_of(one.score)) for one in report.senders],
        [(one, text_of(one.as_sent), text_of(one.now)) for one in report.newest],
    )


@dataclass(frozen=True, slots=True)
class Point:
    """One week of the drawing: the middle of its column, and the span of its score."""

    week: WeekScore
    x: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The trend as the server draws it; every number of it stands in the table below as well."""

    width: int
    height: int
    left: int
    top: int
    bottom: float
    lines: Sequence[tuple[int, float]]
    points: Sequence[Point]
    path: str


WIDTH: Final = 640
HEIGHT: Final = 220
LEFT: Final = 44
TOP: Final = 12
FOOT: Final = 32


def drawing_of(weeks: Sequence[WeekScore]) -> Drawing:
    """Where each week's score is drawn; weeks without files are gaps in the line."""
    tall = HEIGHT - TOP - FOOT

    def at(score: Fraction | int) -> float:
        return round(float(TOP + tall * (100 - score) / 100), 1)

    step = (WIDTH - LEFT) / max(len(weeks), 1)
    found = [
        Point(
            week,
            round(LEFT + step * (number + 0.5), 1),
            None if week.score is None else at(week.score.lowest),
            None if week.score is None else at(week.score.highest),
        )
        for number, week in enumerate(weeks)
    ]
    path, drawn = "", False
    for point in found:
        if point.low is None:
            drawn = False
            continue
        path += f"{'L' if drawn else 'M'}{point.x} {point.low} "
        drawn = True
    return Drawing(
        WIDTH,
        HEIGHT,
        LEFT,
        TOP,
        at(0),
        [(mark, at(mark)) for mark in (0, 25, 50, 75, 100)],
        found,
        path.strip(),
    )

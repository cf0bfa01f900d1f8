"""Comments in words, put together once, so that templates only write them down."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from app.comments.models import ColleagueComment
from app.comments.workflow import CommentState

STATES = {
    CommentState.SAID: ("", "neutral"),
    CommentState.ASKED: (_l("Open"), "warning"),
    CommentState.ANSWERED: (_l("Answered"), "success"),
    CommentState.CLOSED: (_l("Closed"), "neutral"),
}


@dataclass(frozen=True, slots=True)
class CommentRow:
    """One comment; `tag` is empty for what waits for nobody and never did."""

    comment: ColleagueComment
    tag: str
    tone: str
    closed: bool


def comment_rows(comments: Iterable[ColleagueComment]) -> list[CommentRow]:
    """The comments as their page lists them."""
    return [
        CommentRow(one, *STATES[CommentState(one.state)], one.state == CommentState.CLOSED)
        for one in comments
    ]

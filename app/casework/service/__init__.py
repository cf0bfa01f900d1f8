"""What can be done with cases: take them, judge, ask, recommend; and what follows by itself."""

from app.casework.service.assignment import release, take
from app.casework.service.following import (
    close_withdrawn,
    conclude,
    open_case,
    receive_answer,
    send_back,
    tell_of_suspension,
)
from app.casework.service.identifiers import refuse_identifier, resolve_conflict
from app.casework.service.judging import judge
from app.casework.service.recommending import recommend
from app.casework.service.requesting import ask, stop_waiting

__all__ = [
    "ask",
    "close_withdrawn",
    "conclude",
    "judge",
    "open_case",
    "receive_answer",
    "recommend",
    "refuse_identifier",
    "release",
    "resolve_conflict",
    "send_back",
    "stop_waiting",
    "take",
    "tell_of_suspension",
]

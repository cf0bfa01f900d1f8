"""The console's pages; importing this module registers every one of them on `blueprint`."""

from app.casework.views import (
    answers,
    case,
    catalogues,
    conflicts,
    data_quality,
    decision,
    determinations,
    identifiers,
    queue,
    register,
    requests,
    standing,
)
from app.casework.views.frame import blueprint

__all__ = [
    "answers",
    "blueprint",
    "case",
    "catalogues",
    "conflicts",
    "data_quality",
    "decision",
    "determinations",
    "identifiers",
    "queue",
    "register",
    "requests",
    "standing",
]

"""What the domain refuses, in words that the edge can translate and map to a status code.

Messages are English source texts for gettext with named `%(x)s` parameters; the domain never
translates, because it does not know who reads.
"""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way.

    `field` names the form field or JSON member that caused it, `None` when no single one did.
    """

    message: str
    field: str | None = None
    code: str = "invalid"
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)


class DomainError(Exception):
    """Any refusal by the domain. `message` is a gettext source text with `params`."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.params = params


class NotFoundError(DomainError):
    """Absent, or not visible to this actor: the two must look the same (404)."""

    def __init__(self, message: str = "There is nothing here that you can see.") -> None:
        super().__init__(message)


class NotAllowedError(DomainError):
    """The actor may never do this (403)."""


class NotReadyError(DomainError):
    """The subject does not meet the rules yet (422); every problem is listed, not the first."""

    def __init__(self, problems: Sequence[Problem], message: str | None = None) -> None:
        super().__init__(message or (problems[0].message if problems else "Not ready."))
        self.problems = tuple(problems)


class IllegalTransitionError(DomainError):
    """The subject is in a state from which this move is not allowed (409)."""


class ConflictError(DomainError):
    """Somebody else changed the same thing first, or it would be done twice (409)."""


class UnavailableError(DomainError):
    """The answer cannot be vouched for just now (503); `code` names the problem type."""

    def __init__(self, message: str, *, code: str, **params: object) -> None:
        super().__init__(message, **params)
        self.code = code

"""Whether a trader may apply, and may start an application now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from app.applications.eligibility import Eligibility, EligibilityQuestion, Fact, YesNo
from app.kernel.errors import Problem
from app.register.programme import Programme, Status
from app.register.rules import Standing
from app.traders.kinds import BondKind
from app.traders.rules import KEY_SCHEMES, OFFICE_COUNTRIES, ProfileFacts, in_force

CHECK_LASTS: Final = timedelta(days=30)
"""How long a passed check opens the start of an application: a company changes."""

YES: Final = "yes"
NO: Final = "no"


@dataclass(frozen=True, slots=True)
class Failed:
    """One rule that the trader does not meet, in the words of the rules at that time."""

    id: str
    failed: str
    why: str
    remedy: str
    source: str

    def as_json(self) -> dict[str, str]:
        """The form in which a check keeps it."""
        return {
            "id": self.id,
            "failed": self.failed,
            "why": self.why,
            "remedy": self.remedy,
            "source": self.source,
        }


def answer_problems(
    questions: Sequence[EligibilityQuestion], answers: Mapping[str, str]
) -> list[Problem]:
    """Which questions still have no answer; an unknown value counts as none."""
    return [
        Problem("Answer yes or no.", one.id, "ANSWER_MISSING")
        for one in questions
        if answers.get(one.id) not in {YES, NO}
    ]


def failed_points(
    questions: Sequence[EligibilityQuestion], answers: Mapping[str, str]
) -> tuple[Failed, ...]:
    """Every rule that is not met; a missing answer meets none (every doubt resolves downward)."""
    return tuple(
        Failed(one.id, one.failed, one.why, one.remedy, one.source)
        for one in questions
        if answers.get(one.id) != one.passes
    )


def known_answers(
    eligibility: Eligibility,
    facts: ProfileFacts,
    imported_within_year: bool | None,  # noqa: FBT001 - three values, not a switch.
    on: date,
) -> dict[str, YesNo]:
    """What the profile already tells, by question; the trader may answer otherwise.

    Only good news is taken over: a profile that is silent, or not filled in yet, is no "no".
    """
    told: dict[Fact, bool] = {
        "imported-within-year": imported_within_year is True,
        "office-country": facts.office_country
        in OFFICE_COUNTRIES.get(facts.entity_type, frozenset()),
        "key-identifier": bool(
            KEY_SCHEMES.get(facts.entity_type, frozenset()) & set(facts.schemes)
        ),
        "continuous-bond": any(
            bond.kind is BondKind.CONTINUOUS and in_force(bond, on) for bond in facts.bonds
        ),
    }
    return {
        one.id: one.passes
        for one in eligibility.questions
        if one.fact is not None and told[one.fact]
    }


class Checked(Protocol):
    """An eligibility check as far as its validity goes."""

    @property
    def eligible(self) -> bool: ...
    @property
    def at(self) -> datetime: ...


def opens_start(check: Checked | None, now: datetime) -> bool:
    """Whether the check still allows an application to be started; its last instant does not."""
    return check is not None and check.eligible and now < check.at + CHECK_LASTS


def start_problems(
    check: Checked | None, standing: Standing | None, programme: Programme, now: datetime
) -> list[Problem]:
    """Why no application can be started now.

    Sources: the programme's statuses, and its clock `reapply-after-removal`.
    """
    problems = standing_problems(standing, programme, now)
    if not opens_start(check, now):
        message = (
            "Check first whether the company can apply."
            if check is None
            else "The last check found that the company cannot apply yet."
            if not check.eligible
            else "The last check is older than 30 days. Check again: things may have changed."
        )
        problems.append(Problem(message, "check", "CHECK_NEEDED"))
    return problems


def standing_problems(
    standing: Standing | None, programme: Programme, now: datetime
) -> list[Problem]:
    """Why the trader's present standing leaves nothing to apply for."""
    if standing is None:
        return []
    if standing.status in {Status.CERTIFIED, Status.VALIDATED}:
        return [
            Problem(
                "The company is a partner already. Its tier is raised by validation, not by"
                " another application.",
                code="PARTNER_ALREADY",
            )
        ]
    if standing.status is Status.SUSPENDED:
        return [
            Problem(
                "The company is suspended. Answer the suspension: another application cannot"
                " replace that.",
                code="SUSPENDED",
            )
        ]
    if standing.status is Status.REMOVED:
        again = standing.effective_from + programme.clock("reapply-after-removal").period
        if now < again:
            return [
                Problem(
                    "The company was removed from the programme. It can apply again from"
                    " %(day)s on.",
                    code="REMOVED",
                    params={"day": f"{again:%d %B %Y}".lstrip("0")},
                )
            ]
    return []

"""States, times and standings in words; whose turn it is stands in them before anything else."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from app.authz.actor import Actor
from app.casework.models import Case, InformationRequest
from app.casework.rules.clock import Due, Urgency, due
from app.casework.rules.verdicts import Judged
from app.casework.workflow import CaseState
from app.register.models import Determination
from app.register.programme import PROGRAMMES, Programme, Status
from app.register.workflow import DeterminationState
from app.web.banners import Banner
from app.web.filters import day

STATES = {
    CaseState.OPEN: (_l("Not taken"), "warning"),
    CaseState.IN_REVIEW: (_l("In review"), "progress"),
    CaseState.WAITING_ON_TRADER: (_l("With the trader"), "neutral"),
    CaseState.RECOMMENDED: (_l("To countersign"), "progress"),
    CaseState.CLOSED: (_l("Closed"), "neutral"),
}
JUDGED = {
    Judged.UNJUDGED: (_l("Not judged"), "neutral"),
    Judged.CHANGED: (_l("Changed: judge again"), "warning"),
    Judged.RETURNED: (_l("Returned"), "danger"),
    Judged.ACCEPTED: (_l("Accepted"), "success"),
}
DETERMINATION_STATES = {
    DeterminationState.PROPOSED: (_l("Waits for a second signature"), "warning"),
    DeterminationState.APPROVED: (_l("Approved"), "success"),
    DeterminationState.DECLINED: (_l("Declined"), "danger"),
    DeterminationState.WITHDRAWN: (_l("Taken back"), "neutral"),
    DeterminationState.IN_FORCE: (_l("In force, second signature due"), "warning"),
    DeterminationState.COUNTERSIGNED: (_l("Countersigned"), "success"),
    DeterminationState.TAKEN_ON: (_l("Taken over from another system"), "neutral"),
}
STATUS_TONES = {
    Status.APPLICANT: "progress",
    Status.CERTIFIED: "success",
    Status.VALIDATED: "success",
    Status.SUSPENDED: "danger",
    Status.REMOVED: "danger",
    Status.REJECTED: "danger",
    Status.INELIGIBLE: "neutral",
    Status.WITHDRAWN: "neutral",
}
DUE_TONES = {Urgency.CALM: "neutral", Urgency.SOON: "warning", Urgency.LATE: "danger"}


@dataclass(frozen=True, slots=True)
class Tag:
    """Words and the tone that repeats them."""

    text: str
    tone: str


def state_tag(case: Case) -> Tag:
    """The state of a case, as a tag."""
    words, tone = STATES[CaseState(case.state)]
    return Tag(str(words), tone)


def determination_tag(determination: Determination) -> Tag:
    """The state of a determination, as a tag."""
    words, tone = DETERMINATION_STATES[DeterminationState(determination.state)]
    return Tag(str(words), tone)


def judged_tag(judged: Judged) -> Tag:
    """Where a criterion stands, as a tag."""
    words, tone = JUDGED[judged]
    return Tag(str(words), tone)


def who(case: Case, actor: Actor) -> str:
    """Who holds the case."""
    if case.assignee_id is None:
        return gettext("Nobody yet")
    return gettext("You") if case.assignee_id == actor.person_id else case.assignee_name or ""


def ball(case: Case, actor: Actor) -> str:
    """Who has to act next, in a word or two."""
    match CaseState(case.state):
        case CaseState.OPEN:
            return gettext("Any reviewer")
        case CaseState.IN_REVIEW:
            return who(case, actor)
        case CaseState.WAITING_ON_TRADER:
            return gettext("The trader")
        case CaseState.RECOMMENDED:
            return gettext("A supervisor")
        case CaseState.CLOSED:
            return gettext("Nobody")


def age(case: Case, today: date) -> str:
    """How long ago the application came in."""
    end = today if case.closed_at is None else case.closed_at.date()
    days = (end - case.opened_at.date()).days
    return str(ngettext("%(num)d day", "%(num)d days", days))


def due_tag(case: Case, today: date) -> Tag:
    """The time left for a decision; nothing is due in a closed case."""
    if case.closed_at is not None:
        return Tag(gettext("Decided %(day)s", day=day(case.closed_at)), "neutral")
    left = due(today, case.due_on)
    return Tag(due_words(left), DUE_TONES[left.urgency])


def due_words(left: Due) -> str:
    """Working days left or late, in words."""
    if left.working_days < 0:
        return str(
            ngettext("%(num)d working day late", "%(num)d working days late", -left.working_days)
        )
    if left.working_days == 0:
        return gettext("Due today")
    return str(ngettext("%(num)d working day left", "%(num)d working days left", left.working_days))


def banner(
    case: Case,
    actor: Actor,
    request: InformationRequest | None,
    proposal: Determination | None,
) -> Banner:
    """The top of a case page."""
    match CaseState(case.state):
        case CaseState.OPEN:
            return Banner(
                gettext("Nobody has taken this case yet"),
                gettext("The trader has answered. Take the case to look at the new answers.")
                if case.answered_at
                else gettext("Take it to judge the answers."),
                gettext("Any reviewer"),
                "warning",
            )
        case CaseState.IN_REVIEW:
            return Banner(
                gettext("In review"), _in_review(case, proposal), who(case, actor), "progress"
            )
        case CaseState.WAITING_ON_TRADER:
            return Banner(
                gettext("Waiting for the trader"),
                ""
                if request is None
                else gettext(
                    "Asked on %(sent)s, answer due by %(due)s.",
                    sent=day(request.sent_at),
                    due=day(request.due_on),
                ),
                gettext("The trader"),
                "neutral",
            )
        case CaseState.RECOMMENDED:
            return Banner(
                gettext("Recommended: %(move)s", move=move_name(proposal)),
                gettext(
                    "%(name)s has recommended this. A supervisor signs or declines it.",
                    name=proposal.proposed_by_name if proposal else "",
                ),
                gettext("A supervisor"),
                "progress",
            )
        case CaseState.CLOSED:
            return Banner(
                gettext("Closed on %(day)s", day=day(case.closed_at)),
                outcome_words(case),
                gettext("Nobody"),
                "neutral",
            )


def _in_review(case: Case, proposal: Determination | None) -> str:
    if proposal is not None and proposal.state == DeterminationState.DECLINED:
        return gettext(
            "%(name)s declined what was recommended: %(reason)s",
            name=proposal.decided_by_name or "",
            reason=proposal.decision_note or "",
        )
    if case.answered_at is not None:
        return gettext(
            "The trader answered on %(day)s. This is version %(number)s.",
            day=day(case.answered_at),
            number=case.snapshot_number,
        )
    return ""


def move_name(determination: Determination | None) -> str:
    """What a determination does, by the name that its programme gives it."""
    if determination is None:
        return ""
    programme = PROGRAMMES.get(determination.programme)
    move = programme.move(determination.move) if programme else None
    return move.name if move else determination.move.replace("-", " ").capitalize()


def outcome_words(case: Case) -> str:
    """How a closed case ended."""
    if case.outcome == "withdrawn":
        return gettext("The trader has withdrawn its application.")
    move = PROGRAMMES[case.programme].move(case.outcome or "")
    return gettext("Outcome: %(outcome)s", outcome=move.name if move else case.outcome or "")


def reason_words(programme: Programme, move_id: str, code: str) -> str:
    """The reason of a determination or an entry, from the programme's list."""
    move = programme.move(move_id)
    reason = move.reason(code) if move else None
    return reason.text if reason else code.replace("-", " ").capitalize()


def standing_words(programme: Programme, status: str, tier: int | None) -> str:
    """A standing in a few words: its status, and the tier where it grants one."""
    name = programme.status(Status(status)).name
    if tier is None:
        return name
    if programme.grants(Status(status), tier):
        return gettext("%(status)s, tier %(tier)s", status=name, tier=tier)
    return gettext("%(status)s (was tier %(tier)s)", status=name, tier=tier)

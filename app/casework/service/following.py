"""What follows by itself: called by `app.reactions`, in the transaction of what happened."""

from app.applications import queries as applications
from app.applications import service as application_service
from app.applications.models import Application
from app.audit.tags import EventTag
from app.casework import queries
from app.casework.models import Case
from app.casework.rules.letter import Told, reason_in_words, values
from app.casework.service.letters import to_officers
from app.casework.workflow import CaseState
from app.db.concurrency import lock_row
from app.db.references import next_reference
from app.register.models import Determination
from app.register.programme import PROGRAMMES, Kind
from app.register.queries import standing_of
from app.register.service.signatures import flush
from app.register.workflow import DeterminationState
from app.work import Work, move

DECISION_CLOCK = "decision"


def open_case(work: Work, application: Application) -> Case:
    """Open a case for a submitted application.

    Side effects in order: the case, with the next reference of its year and the last day for a
    decision by the programme's clock; one event. Source: 6 USC 964 (90 days), as programme data.
    """
    clock = PROGRAMMES[application.programme].clock(DECISION_CLOCK)
    case = Case(
        id=work.new_id(),
        reference=next_reference(work.session, "CS", work.now.year),
        trader_id=application.trader_id,
        application_id=application.id,
        programme=application.programme,
        tier=application.tier,
        snapshot_number=application.snapshot_count,
        opened_at=work.now,
        due_on=(work.now + clock.period).date(),
    )
    work.session.add(case)
    work.session.flush()
    work.record(
        EventTag.CASE_OPENED,
        case,
        reference=case.reference,
        application_id=application.id,
        due_on=case.due_on.isoformat(),
    )
    return case


def receive_answer(work: Work, application: Application) -> None:
    """The trader has submitted again: its newest snapshot is what is under review now.

    Side effects in order: the open request's move, with its event; the round and the mark that an
    answer came in; the case's move, with its event: back to its reviewer, or to the queue when
    nobody holds it. A case that had ceased to wait stays where it is, with an event of its own.
    """
    case = _locked_case(work, application)
    request = queries.open_request(work.session, case)
    if request is not None:
        move(work, request, "answer", case_id=case.id, round=application.snapshot_count)
        request.ended_at = work.now
    case.snapshot_number = application.snapshot_count
    case.answered_at = work.now
    name = "requeue" if case.assignee_id is None else "resume"
    if name in case.available():
        move(work, case, name, reason="answered", round=application.snapshot_count)
    else:
        work.record(
            EventTag.CASE_RETURNED_TO_REVIEW,
            case,
            reason="answered",
            round=application.snapshot_count,
        )
    work.session.flush()


def close_withdrawn(work: Work, application: Application) -> None:
    """The trader has withdrawn its application: there is nothing to decide any more.

    Side effects in order: an open request's move; the case's move, each with its event. A
    proposal that waits for its second signature stays; it can be declined, not approved.
    """
    case = queries.case_of(work.session, application.id)
    if case is None:
        return  # It was withdrawn before it was ever submitted.
    lock_row(work.session, case)
    request = queries.open_request(work.session, case)
    if request is not None:
        move(work, request, "close", case_id=case.id)
        request.ended_at = work.now
    _close(work, case, "withdrawn")


def conclude(work: Work, determination: Determination) -> None:
    """A second person has signed: the case ends, and the trader is told.

    Side effects in order: for a case, the application is granted or refused, with its event and
    its letter; the case's move, with its event. Without a case, a letter to every officer.
    Errors: `IllegalTransitionError` when the application cannot end so any more, for example
    because it was withdrawn; the signature is then undone with everything else.
    """
    # The signature is written before anything is read, so that a clash is the register's own.
    flush(work)
    if determination.case_id is None:
        _tell(work, determination, "casework-determination")
        return
    case = work.session.get_one(Case, determination.case_id)
    application = work.session.get_one(Application, case.application_id)
    lock_row(work.session, application)
    lock_row(work.session, case)
    programme = PROGRAMMES[determination.programme]
    chosen = programme.move(determination.move)
    end = (
        application_service.grant
        if chosen is not None and chosen.kind is Kind.GRANTS
        else application_service.refuse
    )
    reason = reason_in_words(
        programme, determination.move, determination.reason_code, determination.reason_text
    )
    end(work, application, reason=reason)
    _close(work, case, determination.move, determination)


def send_back(work: Work, determination: Determination) -> None:
    """The proposal was declined or taken back: its case is in review again.

    Side effects: the case's move, with its event, which says which of the two it was.
    """
    flush(work)
    if determination.case_id is None:
        return
    case = work.session.get_one(Case, determination.case_id)
    lock_row(work.session, case)
    if "send-back" not in case.available():
        return  # The application was withdrawn meanwhile, and the case is closed.
    declined = determination.state == DeterminationState.DECLINED
    move(
        work,
        case,
        "send-back",
        reason="declined" if declined else "taken-back",
        determination_id=determination.id,
    )
    work.session.flush()


def tell_of_suspension(work: Work, determination: Determination) -> None:
    """An urgent suspension is in force: every officer gets a letter at once, with the ground."""
    flush(work)
    _tell(work, determination, "casework-suspended")


def _tell(work: Work, determination: Determination, template: str) -> None:
    programme = PROGRAMMES[determination.programme]
    chosen = programme.move(determination.move)
    if chosen is None:
        return  # Taken on from another system: nobody here decided anything.
    at = max(determination.effective_from or work.now, work.now)
    standing = standing_of(work.session, determination.trader_id, programme.id, valid_at=at)
    if standing is None:
        return  # A correction of the past, which leaves nothing in force.
    told = Told(
        programme=programme,
        move=chosen,
        status=standing.status,
        tier=standing.tier,
        restrictions=standing.restrictions,
        reason_code=determination.reason_code,
        reason_text=determination.reason_text,
        at=max(standing.effective_from, at),
    )
    officers = applications.officers_of(work.session, determination.trader_id)
    to_officers(work, officers, determination.trader_id, template, **values(told))


def _locked_case(work: Work, application: Application) -> Case:
    case = queries.case_of(work.session, application.id)
    # Every application that was ever submitted has its case: it was opened in that transaction.
    assert case is not None  # noqa: S101 - for the type checker.
    lock_row(work.session, case)
    return case


def _close(
    work: Work, case: Case, outcome: str, determination: Determination | None = None
) -> None:
    if case.state == CaseState.CLOSED:
        return
    case.closed_at = work.now
    case.outcome = outcome
    case.answered_at = None
    move(
        work,
        case,
        "close",
        outcome=outcome,
        determination_id=None if determination is None else determination.id,
    )
    work.session.flush()

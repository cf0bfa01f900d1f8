"""Say something about a question, ask a colleague, answer, close: kept within the trader.

Source: the interface reference, screen 4: colleague comments and "ask colleague" beside each
question; internal comments never reach whom they are not for. What is said stands in no event and
in no letter.
"""

import uuid

from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.audit.tags import EventTag
from app.comments import queries, rules
from app.comments.models import ColleagueComment
from app.comments.queries import Place
from app.comments.workflow import CommentState
from app.db.concurrency import first_with, lock_row
from app.identity.models import Person
from app.kernel.errors import ConflictError, NotFoundError, NotReadyError, Problem
from app.notifications.service import send
from app.work import Work, move


def say(
    work: Work,
    assessment: Assessment,
    place: Place,
    *,
    key: uuid.UUID,
    body: str,
    asked_id: uuid.UUID | None = None,
) -> ColleagueComment:
    """Say something about a question to all who prepare, or ask one colleague.

    `key` becomes its id, so that a form sent twice says it once. Side effects in order: the
    comment; one event; a letter to whoever is asked, without a word of what. Errors:
    `NotReadyError` beside `body` and `asked`; `NotFoundError` for a key that is somebody else's.
    """
    made = _made_before(work, assessment, place, key)
    if made is not None:
        return made
    problems = rules.body_problems(body)
    people = {one.id: one for one in queries.who_can_be_asked(work, assessment)}
    asked = None if asked_id is None else people.get(asked_id)
    if asked_id is not None and asked is None:
        problems.append(
            Problem("Choose a colleague who can see the self-assessment.", "asked", "asked")
        )
    if problems:
        raise NotReadyError(problems)
    comment = _write(work, assessment, place, key, body, asked=asked)
    if asked is None:
        work.record(EventTag.COLLEAGUE_COMMENTED, comment, question=place.question.id)
    else:
        move(work, comment, "ask", question=place.question.id)
        _tell(work, "colleague-asked", asked, assessment, comment)
    work.session.flush()
    return comment


def answer(
    work: Work,
    assessment: Assessment,
    place: Place,
    ask: ColleagueComment,
    *,
    key: uuid.UUID,
    body: str,
) -> ColleagueComment:
    """Answer what was asked; any colleague may, since whoever knows should.

    Side effects in order: the answer as a comment of its own; the move of what was asked, with its
    one event; a letter to whoever asked, if it was somebody else who still reads here. Errors:
    `NotReadyError` beside `body`; `ConflictError` when it was answered or closed meanwhile.
    """
    made = _made_before(work, assessment, place, key)
    if made is not None:
        return made
    lock_row(work.session, ask)
    problems = rules.body_problems(body)
    if problems:
        raise NotReadyError(problems)
    if ask.state != CommentState.ASKED:
        raise ConflictError("Somebody answered or closed this meanwhile. What you typed is below.")
    comment = _write(work, assessment, place, key, body, answers_id=ask.id)
    _end(work, ask)
    move(work, ask, "answer", question=place.question.id, answer_id=comment.id)
    people = {one.id: one for one in queries.who_can_be_asked(work, assessment)}
    if ask.written_by in people:
        _tell(work, "colleague-answered", people[ask.written_by], assessment, ask)
    work.session.flush()
    return comment


def close(work: Work, ask: ColleagueComment) -> None:
    """Close what was asked without an answer; one event, none when it waits no longer."""
    lock_row(work.session, ask)
    if ask.state == CommentState.ASKED:
        _end(work, ask)
        move(work, ask, "close", question=ask.question_id)


def _made_before(
    work: Work, assessment: Assessment, place: Place, key: uuid.UUID
) -> ColleagueComment | None:
    found = first_with(work.session, ColleagueComment, key)
    if found is None:
        return None
    if (found.assessment_id, found.question_id, found.written_by) != (
        assessment.id,
        place.question.id,
        work.actor.person_id,
    ):
        raise NotFoundError
    return found


def _write(
    work: Work,
    assessment: Assessment,
    place: Place,
    key: uuid.UUID,
    body: str,
    *,
    asked: Person | None = None,
    answers_id: uuid.UUID | None = None,
) -> ColleagueComment:
    grant = work.actor.grants.get(assessment.trader_id)
    comment = ColleagueComment(
        id=key,
        trader_id=assessment.trader_id,
        assessment_id=assessment.id,
        question_id=place.question.id,
        body=body.strip(),
        written_at=work.now,
        written_by=work.actor.person_id,
        written_by_name=work.actor.name,
        broker_name=grant.broker_name if grant else "",
        asked_id=asked.id if asked else None,
        asked_name=asked.name if asked else "",
        answers_id=answers_id,
        ended_by_name="",
    )
    work.session.add(comment)
    return comment


def _end(work: Work, ask: ColleagueComment) -> None:
    ask.ended_at, ask.ended_by = work.now, work.actor.person_id
    ask.ended_by_name = work.actor.name


def _tell(
    work: Work, template: str, to: Person, assessment: Assessment, ask: ColleagueComment
) -> None:
    """A letter that says who, and at which company; what it is about is behind the sign-in."""
    send(
        work,
        to=to.email,
        template=template,
        person_id=to.id,
        name=to.name,
        who=work.actor.name,
        trader=assessments.company_of(work.session, assessment),
        path=f"/traders/{assessment.trader_id}/assessments/{assessment.id}/talk/{ask.id}",
    )

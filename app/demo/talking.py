"""Colleagues who talk about questions of the self-assessment: said, asked, answered, waiting."""

from app.applications.queries.content import assessment_of
from app.assessments.models import Assessment
from app.assessments.queries import catalogue_of
from app.comments import service
from app.comments.models import ColleagueComment
from app.comments.queries import Place
from app.demo.applying import Bid
from app.demo.script import Script
from app.demo.stage import Stage


def talk(script: Script, days: float, bid: Bid, criteria: tuple[str, str]) -> None:
    """Both ask each other about one criterion each; the officer's question waits for an answer."""
    asked: list[ColleagueComment] = []
    first, second = criteria
    officer, preparer = bid.company.officer.key, bid.company.preparer.key

    def preparer_asks(stage: Stage) -> None:
        with stage.work(by=preparer) as work:
            assessment = assessment_of(work.session, bid.of(stage, work))
            place = _first_question(assessment, first)
            service.say(
                work,
                assessment,
                place,
                key=work.new_id(),
                body="I took the wording of last year. Our procedure is at its third edition now.",
            )
            asked.append(
                service.say(
                    work,
                    assessment,
                    place,
                    key=work.new_id(),
                    body="Who has signed the third edition, and when?",
                    asked_id=stage.people[officer],
                )
            )

    def officer_answers_and_asks(stage: Stage) -> None:
        with stage.work(by=officer) as work:
            assessment = assessment_of(work.session, bid.of(stage, work))
            (ask,) = asked
            service.answer(
                work,
                assessment,
                _first_question(assessment, first),
                work.session.get_one(ColleagueComment, ask.id),
                key=work.new_id(),
                body="I did, on the first Monday of the quarter. The signed copy is in the safe.",
            )
            service.say(
                work,
                assessment,
                _first_question(assessment, second),
                key=work.new_id(),
                body="The text says 90 days, and the number above it is another. Which one is right?",
                asked_id=stage.people[preparer],
            )

    script.add(days, preparer_asks)
    script.add(days - 1, officer_answers_and_asks)


def _first_question(assessment: Assessment, criterion_id: str) -> Place:
    for section in catalogue_of(assessment).sections_in(assessment.profile_id):
        for criterion in section.criteria:
            if criterion.id == criterion_id:
                return Place(section, criterion, criterion.questions[0])
    msg = f"{criterion_id} is not asked here."
    raise LookupError(msg)

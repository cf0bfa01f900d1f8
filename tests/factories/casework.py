"""Cases in every state, made through the services, and the agency's people."""

from datetime import timedelta
from itertools import count

from flask.testing import FlaskClient

from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.assessments import queries as assessments
from app.assessments import service as assessment_service
from app.assessments.rules import AnswerInput
from app.authz.actor import Actor, AgencyRole
from app.casework import queries, service
from app.casework.models import Case, InformationRequest
from app.identity.models import Person
from app.kernel.identifiers import Scheme
from app.register.models import Determination
from app.traders import queries as traders
from app.traders import service as trader_service
from app.traders.kinds import EntityType
from app.traders.models import TraderIdentifier
from app.work import Work
from tests.factories.applications import make_application, make_ready, submit
from tests.factories.identity import actor_of, make_person, sign_in
from tests.factories.traders import (
    acting,
    add_contact,
    add_identifier,
    add_site,
    make_trader,
)

_numbers = count(100)
REASON = "The answers and the evidence meet the criteria."


def make_staff(
    work: Work, role: AgencyRole = AgencyRole.REVIEWER, name: str = "Dana Whitlock"
) -> Person:
    """Somebody at the agency."""
    person = make_person(work, name=name, roles=[role])
    work.session.flush()
    return person


def staff_actor(work: Work, person: Person) -> Actor:
    """The actor that a person of the agency is."""
    return actor_of(work.session, person)


def make_case(work: Work, *, name: str = "Tideway Customs Brokers") -> tuple[Case, Person]:
    """The case of an application that a broker has just submitted, and the broker's officer.

    Brokers answer fewer criteria than importers do, which makes many cases affordable. Each
    claims a filer code of its own.
    """
    officer = make_person(work, name="Ada Brook")
    trader = make_trader(work, officer, name=name, entity_type=EntityType.BROKER)
    add_identifier(work, trader, Scheme.FILER, f"{next(_numbers):03d}")
    add_site(work, trader)
    add_contact(work, trader)
    work.session.flush()
    own = acting(work, officer)
    application = make_application(own, trader)
    make_ready(own, application)
    submit(own, application)
    case = queries.case_of(work.session, application.id)
    assert case is not None
    return case, officer


def make_rival(work: Work, case: Case, *, name: str = "Rival Brokers") -> TraderIdentifier:
    """Another broker that claims the filer code of the case's trader; gives back its claim."""
    [own] = traders.identifiers_of(work.session, case.trader_id)
    rival = make_trader(
        work, make_person(work, name="Rui Costa"), name=name, entity_type=EntityType.BROKER
    )
    return add_identifier(work, rival, Scheme.FILER, own.value or "")


def take(work: Work, case: Case, reviewer: Person) -> Work:
    """The case in the hands of `reviewer`; gives back the unit of work as that reviewer."""
    own = acting(work, reviewer)
    service.take(own, case)
    return own


def judge(work: Work, case: Case, criterion_id: str, verdict: str, comment: str = "") -> None:
    """One verdict by the actor of `work`."""
    service.judge(
        work,
        case,
        key=work.new_id(),
        criterion_id=criterion_id,
        verdict=verdict,
        comment=comment,
        snapshot_number=case.snapshot_number,
    )


def accept_all(work: Work, case: Case) -> None:
    """Every criterion that is not accepted yet."""
    reviews = queries.reviews_of(work.session, case)
    for one in queries.dossier(work, case).criteria():
        review = reviews.get(one.id)
        same = review is not None and review.content_sha256 == one.fingerprint
        if not same or review.verdict != "accepted":
            judge(work, case, one.id, "accepted")


def verify_identifiers(work: Work, case: Case) -> None:
    """Every identifier that the trader claims."""
    for one in traders.identifiers_of(work.session, case.trader_id):
        if "verify" in one.available():
            trader_service.verify_identifier(work, one)


def ask(work: Work, case: Case, comments: dict[str, str]) -> InformationRequest:
    """A request about the criteria, due in a month."""
    return service.ask(
        work,
        case,
        key=work.new_id(),
        tasks=[],
        comments=comments,
        message="Please tell us more about these.",
        due_on=(work.now + timedelta(days=30)).date(),
        snapshot_number=case.snapshot_number,
    )


def answer(work: Work, case: Case, officer: Person, changes: dict[str, str]) -> None:
    """The trader's answer: new words on the criteria of `changes`, then submitted again."""
    own = acting(work, officer)
    application = application_of(own, case)
    assessment = assessment_of(own.session, application)
    for section_id in assessment.reopened_sections:
        section = assessments.section_in(assessment, section_id)
        row = assessments.sections_of(own.session, assessment.id)[section_id]
        answers = {
            one.questions[0].id: AnswerInput(how_met=changes[one.id])
            for one in section.criteria
            if one.id in changes
        }
        if answers:
            assessment_service.save_answers(
                own, assessment, section_id, answers=answers, expected_version=row.version
            )
        assessment_service.complete_section(own, assessment, section_id)
    submit(own, application)


def recommend(work: Work, case: Case, move: str = "certify") -> Determination:
    """A recommendation by the actor of `work`, who holds the case."""
    reasons = {"certify": "criteria-met", "reject": "criteria-not-met"}
    return service.recommend(
        work,
        case,
        key=work.new_id(),
        move_id=move,
        reason_code=reasons[move],
        reason_text=REASON,
    )


def make_recommended(work: Work, reviewer: Person) -> tuple[Case, Determination]:
    """A case whose certification waits for a supervisor."""
    case, _ = make_case(work)
    own = take(work, case, reviewer)
    accept_all(own, case)
    verify_identifiers(own, case)
    return case, recommend(own, case)


def application_of(work: Work, case: Case) -> Application:
    """The application that the case is about."""
    return work.session.get_one(Application, case.application_id)


def signed_in(app, person: Person) -> FlaskClient:
    """A browser of its own in which the person is signed in; the person must be committed."""
    client = app.test_client()
    sign_in(client, person)
    return client


def post(client: FlaskClient, address: str, data: dict[str, object] | None = None):
    """Post a form with the token of the session, as its page would."""
    page = client.get("/console/queue/all")
    token = page.text.split('name="csrf_token"', 1)
    value = token[1].split('value="', 1)[1].split('"', 1)[0] if len(token) > 1 else ""
    return client.post(address, data={"csrf_token": value, **(data or {})})


def criterion_ids(work: Work, case: Case) -> list[str]:
    """The criteria of the case, in order."""
    return [one.id for one in queries.dossier(work, case).criteria()]

"""Two importers, a broker and the agency, with one of everything that has an id.

Every name and text of the first importer holds `CANARY`, so that a leak of it is a word in a
page. Strangers are the second importer's people and the broker's officer, who is also the rival
of the first importer's own broker in a conflict over an identifier.
"""

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from app.advance_data.models import Filing
from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.assessments import queries as assessments
from app.assessments import service as assessment_service
from app.assessments.models import Assessment
from app.assessments.rules import AnswerInput
from app.audit.notes import LOG, Signer
from app.audit.sealing import Copies, seal
from app.authz.actor import Actor, AgencyRole, DelegationScope, TraderRole, system_actor
from app.casework import queries as cases
from app.casework import service as casework
from app.casework.models import Case
from app.catalogues.loader import catalogues
from app.comments import service as comments
from app.comments.queries import place_of
from app.db.session import BoundSession
from app.delegations import service as delegations
from app.documents import service as documents
from app.documents.models import DocumentRevision
from app.door.purposes import webhooks as webhook_place
from app.identity.keys import load_or_create
from app.identity.models import LinkPurpose, Person
from app.identity.oidc.rules import Identity, Side
from app.identity.oidc.service import link_identity
from app.identity.queries import credentials_of
from app.identity.service import create_client
from app.identity.service.links import make_link
from app.kernel.clock import Clock
from app.kernel.identifiers import Scheme
from app.notifications.models import Message
from app.plans import service as plans
from app.plans.queries import actions_of
from app.reactions import REACTIONS
from app.traders import service as traders
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.traders.queries import open_conflict_over
from app.verifications import service as verifications
from app.verifications.models import Consent, Verification
from app.verifications.rules import WAITS
from app.web.requests import FairwayApp
from app.webhooks import service as webhooks
from app.webhooks.rules import Outcome
from app.webhooks.sealing import KeySeal
from app.work import Work, move
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.facilitation.scenes import transaction
from tests.factories.advance_data import make_batch
from tests.factories.applications import answer_all, check_eligibility, make_application, sign
from tests.factories.applications import submit as submit_application
from tests.factories.casework import judge, make_staff, signed_in, staff_actor, take
from tests.factories.criteria import every_class
from tests.factories.delegations import Pair, delegate
from tests.factories.documents import make_document, pdf
from tests.factories.identity import (
    give_authenticator,
    give_passkey,
    make_person,
    principal_of,
    sign_in,
)
from tests.factories.publications import propose_version, publish_version, shipped
from tests.factories.register import decide, propose
from tests.factories.successions import propose_officer
from tests.factories.traders import (
    acting,
    add_bond,
    add_contact,
    add_identifier,
    add_site,
    appoint_person,
    make_trader,
)
from tests.factories.workbooks import make_workbook

CANARY = "Quokkaberry"
PLAIN = "Brightwater"
NUMBERS = {CANARY: "12-345678900", PLAIN: "91-114444201"}
FILER = "406"
TRADER_SCOPES = ("filings:write", "filings:read", "status:self")
AGENCY_SCOPES = ("status:read", "feed:read", "decisions:write", "decisions:read")

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')

Ids = dict[str, str]
WorkAs = Callable[[Actor], AbstractContextManager[Work]]


@dataclass
class Visitor:
    """A browser or a program: a test client, and what it sends with each request."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def ask(self, method: str, address: str):
        data = {"csrf_token": self.csrf} if method == "POST" and self.csrf else None
        return self.client.open(address, method=method, headers=self.headers, data=data)


@dataclass
class Scene:
    """Ids by the name of the argument that takes them in an address, and who can ask.

    A key with the endpoint, or its blueprint, before the name goes before the plain name.

    `a` and `b` hold the importers' ids; `a_returned` those of the first importer's broker, whose
    application was submitted and returned, over those of `a`.
    """

    a: Ids
    a_returned: Ids
    b: Ids
    rival_id: str
    visitors: dict[str, Visitor]
    people: dict[str, Person]
    holders: dict[str, dict[TraderRole, Person]]


def work_as_on(engine: Engine, clock: Clock) -> WorkAs:
    """The same as the fixture `work_as`, for a scene that lasts longer than one test."""

    @contextmanager
    def begin(actor: Actor) -> Iterator[Work]:
        with (
            BoundSession(engine, principal_of(engine, actor, clock.now())) as session,
            session.begin(),
        ):
            yield Work(session=session, actor=actor, now=clock.now(), reactions=REACTIONS)

    return begin


def browser(app: FairwayApp, person: Person | None) -> Visitor:
    """A signed-in browser with a form token, or one of nobody."""
    if person is None:
        return Visitor(app.test_client())
    client = signed_in(app, person)
    page = client.get("/security/password").text
    return Visitor(client, csrf=CSRF.findall(page)[0])


def program(app: FairwayApp, work_as: WorkAs, scopes, trader_id=None) -> Visitor:
    """A program with a token from the token endpoint."""
    with work_as(system_actor("test")) as work:
        row, secret = create_client(work, name="A program", scopes=scopes, trader_id=trader_id)
        client_id = row.client_id
    client = app.test_client()
    answer = client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret)
    )
    return Visitor(client, {"Authorization": f"Bearer {answer.get_json()['access_token']}"})


def make_importer(work: Work, word: str, holders: dict[TraderRole, Person]) -> Ids:
    """An importer whose names all begin with `word`: profile, people, a draft, filings, files."""
    officer = holders[TraderRole.OFFICER]
    trader = make_trader(work, officer, name=f"{word} Imports LLC")
    appoint_others(work, trader, holders)
    tokens: list[str] = []
    own = acting(work, officer)
    invitation = traders.appoint(
        own,
        trader,
        key=work.new_id(),
        email=f"guest@{word.lower()}.example",
        role=TraderRole.VIEWER,
        link=lambda token: tokens.append(token) or f"http://localhost/invitations/{token}",
    )
    number = NUMBERS[word]
    add_identifier(work, trader, value=number, verified=True)
    claim = add_identifier(work, trader, Scheme.EIN, number[:10])
    bond = add_bond(work, trader, surety=f"{word} Surety")
    site = add_site(work, trader, f"{word} warehouse")
    contact = add_contact(work, trader, f"{word} Delgado")
    work.session.flush()
    check = check_eligibility(own, trader)
    application = make_application(own, trader)
    revision = make_document(
        own, trader.id, filename=f"{word}.pdf", content=pdf(f"Seals of {word}")
    )
    documents.note_scan(work, revision, found=None)
    assessment = assessment_of(own.session, application)
    section = assessments.catalogue_of(assessment).sections_in(assessment.profile_id)[0]
    say(own, application, word)
    criterion = next(one for one in section.criteria if one.evidence.min)
    attached = assessment_service.attach_evidence(own, assessment, criterion.id, revision.id)
    lead = section.criteria[0].questions[0].id
    workbook = make_workbook(own, assessment, {lead: f"As {word} does it elsewhere."})
    actions = promise(own, assessment, word, officer, revision)
    asked = talk(own, assessment, word, holders[TraderRole.PREPARER])
    other = assessment_service.start(
        own,
        trader.id,
        catalogue=catalogues().get("trade-compliance", "2026.1"),
        profile_id="trade-compliance-tier1",
    )
    row = {"importer_number": number, "mf_name": f"{word} Works"}
    batch = make_batch(
        own,
        trader,
        csv_bytes(
            [
                good_row(filing_ref=f"{word}-1", **row),
                good_row(filing_ref=f"{word}-2", hts=word, **row),
            ]
        ),
        filename=f"{word}.csv",
    )
    work.session.flush()
    filing = work.session.scalars(select(Filing).where(Filing.batch_id == batch.id)).one()
    program = make_program(work, f"{word} filing system", TRADER_SCOPES, trader.id)
    return {
        **program,
        "trader_id": str(trader.id),
        "appointment_id": str(invitation.id),
        "identifier_id": str(claim.id),
        "bond_id": str(bond.id),
        "site_id": str(site.id),
        "contact_id": str(contact.id),
        "check_id": str(check.id),
        "application_id": str(application.id),
        "assessment_id": str(assessment.id),
        "document_id": str(revision.document_id),
        "revision_id": str(revision.id),
        "evidence_id": str(attached.id),
        "workbook_id": str(workbook.id),
        **actions,
        **asked,
        "crosswalk.offers.assessment_id": str(other.id),
        "crosswalk.accept.assessment_id": str(other.id),
        "crosswalk.accept.criterion_id": "tc2.1",
        "officer.id": str(officer.id),
        "batch_id": str(batch.id),
        "filing_id": str(filing.id),
        "file_row": "2",
        "section_id": section.id,
        "criterion_id": criterion.id,
        "number": "1",
        "task": "contacts",
        "scheme": "ior",
        "form": "xlsx",
        "value": number,
        "programme": "security",
        "traders.token": tokens[0],
    }


def promise(
    work: Work, assessment: Assessment, word: str, officer: Person, proof: DocumentRevision
) -> Ids:
    """An action of the improvement plan that is open, and one that is done."""
    catalogue = assessments.catalogue_of(assessment)
    first, second, *_ = catalogue.sections_in(assessment.profile_id)[1].criteria
    plan = plans.promise(
        work,
        assessment,
        promises={first.id: f"{word} will map it.", second.id: f"{word} will write it down."},
        owner_id=officer.id,
        due_on=(work.now + timedelta(days=60)).date(),
    )
    found = {one.criterion_id: one for one in actions_of(work.session, plan)}
    plans.finish(work, found[second.id], proof=proof)
    return {
        "action_id": str(found[first.id].id),
        "plans.reopen.action_id": str(found[second.id].id),
    }


def talk(work: Work, assessment: Assessment, word: str, asked: Person) -> Ids:
    """A comment to all on the first question, and one that waits for the preparer's answer."""
    catalogue = assessments.catalogue_of(assessment)
    question_id = catalogue.sections_in(assessment.profile_id)[0].criteria[0].questions[0].id
    place = place_of(assessment, question_id)
    comments.say(work, assessment, place, key=work.new_id(), body=f"{word} should say more here.")
    ask = comments.say(
        work,
        assessment,
        place,
        key=work.new_id(),
        body=f"Who at {word} knows?",
        asked_id=asked.id,
    )
    return {"question_id": question_id, "comment_id": str(ask.id)}


def make_program(work: Work, name: str, scopes, trader_id: uuid.UUID | None = None) -> Ids:
    """A program that has never asked for anything, and its credential."""
    row, _ = create_client(work, name=name, scopes=scopes, trader_id=trader_id)
    return {
        "api_client_id": str(row.id),
        "credential_id": str(credentials_of(work.session, row.id)[0].id),
    }


def appoint_others(work: Work, trader: Trader, holders: dict[TraderRole, Person]) -> None:
    """Everybody but the officer, who has one, takes up their role."""
    for role in holders.keys() - {TraderRole.OFFICER}:
        appoint_person(work, trader, holders[TraderRole.OFFICER], holders[role], role)


def say(work: Work, application: Application, word: str) -> None:
    """An answer in the application's first section that holds `word`."""
    assessment = assessment_of(work.session, application)
    section = assessments.catalogue_of(assessment).sections_in(assessment.profile_id)[0]
    assessment_service.save_answers(
        work,
        assessment,
        section.id,
        answers={section.criteria[0].questions[0].id: AnswerInput(how_met=f"As {word} does it.")},
        expected_version=assessments.sections_of(work.session, assessment.id)[section.id].version,
    )


def make_brokerage(
    work: Work, word: str, code: str, holders: dict[TraderRole, Person]
) -> Application:
    """The same people's brokerage with the filer code: its application is ready to be submitted."""
    officer = holders[TraderRole.OFFICER]
    trader = make_trader(work, officer, name=f"{word} Brokers", entity_type=EntityType.BROKER)
    appoint_others(work, trader, holders)
    add_identifier(work, trader, Scheme.FILER, code)
    add_site(work, trader, f"{word} office")
    add_contact(work, trader, f"{word} Haddad")
    work.session.flush()
    own = acting(work, officer)
    application = make_application(own, trader)
    answer_all(own, application)
    say(own, application, word)
    sign(own, application)
    work.session.flush()
    return application


def make_outdated(
    work: Work, ids: Ids, word: str, code: str, holders: dict[TraderRole, Person]
) -> Callable[[], None]:
    """A brokerage's draft on criteria that will be followed by newer ones.

    Gives back what is done once they are published: the first stays where it may move, the second
    has gone on as at a yearly review, so that answers wait to be confirmed there.
    """
    trader = make_trader(
        work, holders[TraderRole.OFFICER], name=f"{word} Forwarders", entity_type=EntityType.BROKER
    )
    appoint_others(work, trader, holders)
    add_identifier(work, trader, Scheme.FILER, code)
    work.session.flush()
    own = acting(work, holders[TraderRole.OFFICER])
    application = make_application(own, trader)
    say(own, application, word)

    def go_on() -> None:
        pages = ("criteria", "move_criteria")
        if word.endswith("Second"):
            pages = ("carried", "settle_carried")
            old = assessment_of(own.session, application)
            new = assessment_service.carry_over(
                own,
                old,
                catalogue=catalogues().get("broker", "2026.2"),
                profile_id=old.profile_id,
                annual=True,
            )
            application.assessment_id = new.id
            own.session.flush()
            assessment_service.supersede(own, old, new)
            ids["carried.question_id"] = "q.1.1.1"
        for page in pages:
            ids[f"outdated.{page}.trader_id"] = str(trader.id)
            ids[f"outdated.{page}.application_id"] = str(application.id)

    return go_on


def make_case(work: Work, word: str, code: str, holders: dict[TraderRole, Person]) -> Case:
    """The case of such a brokerage, which has submitted its application."""
    application = make_brokerage(work, word, code, holders)
    submit_application(acting(work, holders[TraderRole.OFFICER]), application)
    case = cases.case_of(work.session, application.id)
    assert case is not None
    return case


def make_returned(
    work: Work,
    holders: dict[TraderRole, Person],
    reviewer: Person,
    word: str = CANARY,
    code: str = FILER,
) -> Ids:
    """The same people's brokerage: its application was submitted, judged and returned."""
    case = make_case(work, word, code, holders)
    trader_id, application_id = case.trader_id, case.application_id
    application = work.session.get_one(Application, application_id)
    own = take(work, case, reviewer)
    first, second, *_ = cases.dossier(work, case).criteria()
    judge(own, case, first.id, "accepted")
    judge(own, case, second.id, "returned", f"{word} has not said how.")
    casework.ask(
        own,
        case,
        key=work.new_id(),
        tasks=["contacts"],
        comments={second.id: f"{word} has not said how."},
        message=f"Please tell us more about {word}.",
        due_on=(work.now + timedelta(days=30)).date(),
        snapshot_number=case.snapshot_number,
    )
    mine = acting(work, holders[TraderRole.OFFICER])
    asked = talk(mine, assessment_of(work.session, application), word, holders[TraderRole.PREPARER])
    return {
        **asked,
        "trader_id": str(trader_id),
        "application_id": str(application_id),
        "assessment_id": str(application.assessment_id),
        "case_id": str(case.id),
        "section_id": first.section_id,
        "criterion_id": first.id,
    }


def make_conflict(work: Work, rival: Person, code: str = FILER) -> Ids:
    """The rival claims the filer code of an importer's brokerage."""
    trader = make_trader(work, rival, name="Slackwater Brokers", entity_type=EntityType.BROKER)
    claim = add_identifier(work, trader, Scheme.FILER, code)
    work.session.flush()
    conflict = open_conflict_over(work.session, claim)
    assert conflict is not None
    return {"trader_id": str(trader.id), "conflict_id": str(conflict.id)}


def make_delegations(
    work: Work, broker: Trader, clerk: Person, theirs: Ids, officer: Person
) -> None:
    """The importer lets the broker see its standing, and has a question of the broker's to answer."""
    pair = Pair(uuid.UUID(theirs["trader_id"]), broker.id, officer, clerk)
    live = str(delegate(work, pair, {DelegationScope.STATUS}).id)
    asked = delegations.propose(
        acting(work, clerk),
        work.session.get_one(Trader, pair.trader_id),
        broker,
        key=work.new_id(),
        side=delegations.Side.BROKER,
        scopes={DelegationScope.DATA},
        first_day=work.now.date(),
        last_day=work.now.date() + timedelta(days=9),
    )
    theirs["delegation_id"] = live
    theirs |= {f"delegations.{name}.delegation_id": str(asked.id) for name in ("accept", "decline")}


def make_webhooks(app: FairwayApp, work: Work, word: str) -> Ids:
    """A webhook of the agency's with a delivery that was taken, and one that is parked."""
    settings = app.extensions["fairway"].settings
    made = [
        webhooks.register_webhook(
            work,
            name=f"{word} {name}",
            address=f"http://localhost:9/{word}",
            place=webhook_place(settings),
            seal=KeySeal(settings.secret_key),
            key=work.new_id(),
        )
        for name in ("receiver", "parked receiver")
    ]
    delivery = webhooks.send_test(work, made[0], key=work.new_id())
    work.session.flush()
    sent = webhooks.Outgoing(delivery.id, made[0].address, delivery.body, {})
    webhooks.note_attempt(work, made[0].id, sent, Outcome(204, None, 5), chance=0.5)
    webhooks.send_test(work, made[1], key=work.new_id())
    move(work, made[1], "park")
    return {
        "webhook_id": str(made[0].id),
        "delivery_id": str(delivery.id),
        "webhooks.resume.webhook_id": str(made[1].id),
    }


def make_verifications(
    work: Work, theirs: Ids, officer: Person, word: str, other: uuid.UUID
) -> None:
    """The importer asks a company; another asks the importer, and is asked to end what was agreed."""
    trader = work.session.get_one(Trader, uuid.UUID(theirs["trader_id"]))

    def question(whose: Trader) -> Verification:
        row = Verification(
            id=work.new_id(),
            trader_id=whose.id,
            trader_name=whose.name,
            scheme=Scheme.IOR,
            number=NUMBERS[word],
            asked_by=officer.id,
            asked_at=work.now,
            lapses_at=work.now + WAITS,
        )
        work.session.add(row)
        return row

    theirs["verification_id"] = str(question(trader).id)
    asker = work.session.get_one(Trader, other)
    made = []
    for _ in range(2):
        asked = question(asker)
        work.session.flush()
        made.append(
            Consent(
                id=work.new_id(),
                trader_id=trader.id,
                trader_name=trader.name,
                verification_id=asked.id,
                asker_id=asker.id,
                asker_name=asker.name,
                scheme=asked.scheme,
                number=asked.number,
                asked_at=work.now,
                lapses_at=asked.lapses_at,
            )
        )
    work.session.add_all(made)
    work.session.flush()
    verifications.give(acting(work, officer), made[1])
    theirs |= {
        "consent_id": str(made[0].id),
        "verifications.end_consent.consent_id": str(made[1].id),
    }


def make_succession(work: Work, theirs: Ids, by: Person, word: str) -> uuid.UUID:
    """A new officer of the importer's, who waits for the second signature; the paper is clean."""
    found = propose_officer(
        work,
        uuid.UUID(theirs["trader_id"]),
        by,
        text=f"{word} is sold",
        reason=f"The owner of {word} wrote.",
        officer_name=f"{word} Newcomer",
        officer_email=f"officer-to-be@{word.lower()}.example",
    )
    documents.note_scan(work, work.session.get_one(DocumentRevision, found.evidence_id), found=None)
    return found.id


def make_people(work: Work, word: str) -> dict[TraderRole, Person]:
    """An officer, a preparer and a viewer."""
    return {
        role: make_person(work, name=f"{word} {role}", email=f"{role}@{word.lower()}.example")
        for role in TraderRole
    }


def make_subject(work: Work, person: Person) -> uuid.UUID:
    """An identity at a provider that opens the person's account."""
    identity = Identity(Side.TRADER, "https://provider.example", str(person.id))
    return link_identity(work, person, identity).id


def make_halves(work: Work, officer: Person, theirs: list[Ids]) -> dict[TraderRole, Person]:
    """A preparer and a viewer of the first importer, each the officer of a company of their own."""
    found = {}
    for role in (TraderRole.PREPARER, TraderRole.VIEWER):
        person = found[role] = make_person(work, name=f"Half a {role}")
        make_trader(work, person, name=f"Halfway {role} LLC")
        for ids in theirs:
            trader = work.session.get_one(Trader, uuid.UUID(ids["trader_id"]))
            appoint_person(work, trader, officer, person, role)
    return found


def make_tokens(work: Work, person: Person, word: str = CANARY) -> Ids:
    """The tokens of letters that open a page, and take its form, each."""
    found = {}
    for pages, purpose, facts in (
        (("verify", "verify_with_password"), LinkPurpose.VERIFY_MAIL, {"person_id": person.id}),
        (("reset", "reset_with_password"), LinkPurpose.RESET_PASSWORD, {"person_id": person.id}),
        (("recover", "recover_with_password"), LinkPurpose.RECOVER, {"person_id": person.id}),
        (
            ("join", "join_with_password"),
            LinkPurpose.JOIN_STAFF,
            {"email": f"new@{word.lower()}.example", "role": AgencyRole.REVIEWER.value},
        ),
    ):
        _, token = make_link(work, purpose, lasts=timedelta(days=1), **facts)
        found |= {f"identity.{page}.token": token for page in pages}
    return found


def make_scene(app: FairwayApp, work_as: WorkAs) -> Scene:
    """Everything; committed."""
    with work_as(system_actor("test")) as work:
        of_a, of_b = make_people(work, CANARY), make_people(work, PLAIN)
        staff = {role: make_staff(work, role, f"Agency {role}") for role in AgencyRole}
        rival = make_person(work, name="Rui Costa")
        a, b = make_importer(work, CANARY, of_a), make_importer(work, PLAIN, of_b)
        officer, reviewer = of_a[TraderRole.OFFICER], staff[AgencyRole.REVIEWER]
        returned = make_returned(work, of_a, reviewer)
        halves = make_halves(work, officer, [a, returned])
        conflict = make_conflict(work, rival)
        ally = make_person(work, name="Noor Castellano")
        broker = make_trader(work, ally, name="Lantern Brokers", entity_type=EntityType.BROKER)
        make_delegations(work, broker, ally, a, officer)
        make_delegations(work, broker, ally, b, of_b[TraderRole.OFFICER])
        make_verifications(work, a, officer, CANARY, broker.id)
        make_verifications(work, b, of_b[TraderRole.OFFICER], PLAIN, broker.id)
        tokens = make_tokens(work, officer)
        release = make_program(work, f"{CANARY} release system", AGENCY_SCOPES)
        a |= {f"agency_clients.{name}": value for name, value in release.items()}
        a |= make_webhooks(app, work, CANARY)
        message = work.session.scalars(
            select(Message)
            .where(Message.template == "appointment-invitation")
            .where(Message.body.contains(CANARY))
        ).first()
        assert message is not None
        a |= {"message_id": str(message.id), "conflict_id": conflict["conflict_id"], **tokens}
        a |= {"subject_id": str(make_subject(work, officer)), "side": "trader"}
        proposer = staff_actor(work, reviewer)
        for ids, word in ((a, CANARY), (b, PLAIN)):
            ids["succession_id"] = str(make_succession(work, ids, reviewer, word))
        manager = staff[AgencyRole.PROGRAMME_MANAGER]
        drafts = [
            make_outdated(work, ids, f"{word} {number}", code, holders)
            for ids, word, holders, codes in (
                (a, CANARY, of_a, ("301", "302")),
                (b, PLAIN, of_b, ("303", "304")),
            )
            for number, code in zip(("First", "Second"), codes, strict=True)
        ]
        publish_version(work, shipped("broker"), by=manager, second=staff[AgencyRole.SUPERVISOR])
        for one in drafts:
            one()
        for ids, kind, raw in ((a, "importer", shipped("importer")), (b, "broker", every_class())):
            found = propose_version(work, manager, raw)
            ids |= {
                "publication_id": str(found.id),
                "catalogue_id": kind,
                "version": found.version,
                "casework.propose_catalogue.catalogue_id": "trade-compliance",
                "casework.propose_catalogue.version": "2026.1",
            }
    trader_id = uuid.UUID(a["trader_id"])
    other = decide(work_as, uuid.UUID(b["trader_id"]), "certify", tier=1)
    b |= {"determination_id": str(other)}
    certified = decide(work_as, trader_id, "certify", tier=1)
    proposal = propose(work_as, trader_id, "validate", by=proposer, tier=2, reason_text=CANARY)
    with work_as(system_actor("test")):
        a["session_id"] = str(sign_in(app.test_client(), officer))
    with work_as(system_actor("test")) as work:
        a["passkey_id"] = str(give_passkey(work, officer).id)
        for one in (officer, of_b[TraderRole.OFFICER]):
            give_authenticator(work, one)
    people = {
        **{f"a {role}": person for role, person in of_a.items()},
        **{f"b {role}": person for role, person in of_b.items()},
        **{f"half a {role}": person for role, person in halves.items()},
        **{str(role): person for role, person in staff.items()},
        "rival": rival,
    }
    visitors = {name: browser(app, person) for name, person in people.items()}
    visitors["nobody"] = browser(app, None)
    visitors["a program"] = program(app, work_as, TRADER_SCOPES, trader_id)
    visitors["b program"] = program(app, work_as, TRADER_SCOPES, uuid.UUID(b["trader_id"]))
    visitors["agency program"] = program(app, work_as, AGENCY_SCOPES)
    # So that receipts can be had; what the tests themselves leave behind stays unsealed.
    seal_everything(app)
    a |= {
        "determination_id": str(proposal),
        "register.determination_id": str(certified),
        "casework.determination_receipt.determination_id": str(certified),
        "decision_id": decision_of(visitors["agency program"]),
        "case_id": returned["case_id"],
        "move_id": "certify",
        "programme_id": "security",
        "tab": "all",
        "filename": "app.js",
        "casework.change_standing.move_id": "suspend",
    }
    return Scene(
        a=a,
        a_returned=a | returned,
        b=b,
        rival_id=conflict["trader_id"],
        visitors=visitors,
        people=people,
        holders={CANARY: of_a, PLAIN: of_b},
    )


def seal_everything(app: FairwayApp) -> None:
    """Seal what happened so far with a key of the test run's own."""
    wired = app.extensions["fairway"]
    key = load_or_create(wired.settings.home / "scene-keys", "audit").keys[0].private_key
    copies = Copies(wired.settings.home / "scene-checkpoints")
    shutil.rmtree(copies.folder, ignore_errors=True)
    seal(wired.engine, Signer("fairway.scene", LOG, key), copies, now=wired.clock.now())


def decision_of(agency: Visitor) -> str:
    """A stored decision on a transaction of the first importer."""
    answer = agency.client.post(
        "/api/v1/decisions",
        json={"transactions": [transaction(transaction_id=CANARY)]},
        headers=agency.headers,
    )
    return answer.get_json()["decisions"][0]["decision_id"]

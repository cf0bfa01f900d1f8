"""What an address can be asked of: own, foreign, absent, deleted, mixed, and in another state.

An `Ids` says, by the name of an argument, what stands in an address. A name with its endpoint
before it (`casework.take.case_id`) goes before the plain one, where a route needs an object in a
state of its own to succeed on.
"""

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select, update

from app.authz.actor import TraderRole, system_actor
from app.casework import queries as cases
from app.db.session import transaction
from app.documents import service as documents
from app.identity.models import ApiClient, Person, WebSession
from app.identity.sessions import KEEPER
from app.kernel.identifiers import Scheme
from app.notifications.models import Message
from app.register.models import Determination
from app.successions import service as successions
from app.traders import service as traders
from app.traders.models import Appointment, Trader, TraderIdentifier
from app.work import Work, move
from tests.factories.advance_data import receive
from tests.factories.casework import (
    accept_all,
    recommend,
    staff_actor,
    take,
    verify_identifiers,
)
from tests.factories.documents import make_document
from tests.factories.identity import give_passkey, sign_in
from tests.factories.register import propose
from tests.factories.successions import as_staff, propose_officer
from tests.factories.traders import acting, add_contact, add_identifier, add_site
from tests.guards.addresses import NEVER, Cell, absent
from tests.guards.scene import (
    AGENCY_SCOPES,
    CANARY,
    PLAIN,
    TRADER_SCOPES,
    Ids,
    Scene,
    WorkAs,
    decision_of,
    make_brokerage,
    make_case,
    make_conflict,
    make_program,
    make_returned,
    make_subject,
    make_tokens,
    make_webhooks,
    seal_everything,
)

OBJECTS = ("own", "foreign", "absent", "mixed", "deleted", "other")
"""The letters of a verdict stand in this order."""
CODES = {CANARY: iter(range(410, 440)), PLAIN: iter(range(440, 470))}
FROZEN = {
    "section_id",
    "criterion_id",
    "number",
    "task",
    "scheme",
    "programme",
    "move_id",
    "catalogue_id",
    "file_row",
}


@dataclass
class Side:
    """Everything of one importer's people."""

    word: str
    own: Ids
    deleted: Ids = field(default_factory=dict)
    others: list[Ids] = field(default_factory=list)
    """In another state: the first that has an argument of the address is used."""

    def of(self, cell: Cell, kind: str, foreign: "Side") -> Ids | None:
        """The ids for this address, `None` where this kind of object makes no sense."""
        names = set(cell.rule.arguments)
        things = {name for name in names if name.endswith("_id") or name == "token"} - FROZEN
        things -= {"programme_id"}
        if kind == "own":
            return self.own
        if not things:
            return None
        plain = unnamed(self.own, cell)
        gone = {name: self.deleted[name] for name in things & set(self.deleted)}
        found: Ids | None = None
        if kind == "foreign":
            found = foreign.own
        elif kind == "absent":
            found = never(self.own)
        elif kind == "mixed" and "trader_id" in things and len(things) > 1:
            # Their child under one's own company.
            found = {**foreign.own, **of_trader(cell, self.own)}
        elif kind == "deleted" and gone:
            found = {**plain, **gone}
        elif kind == "other" and (changed := self._other(things)):
            found = {**plain, **changed}
        return found

    def _other(self, things: set[str]) -> Ids | None:
        """The company itself in another state only where the address names nothing of it."""
        wanted = things - {"trader_id"}
        if not wanted:
            return self.others[-1]
        return next((one for one in self.others if wanted & set(one)), None)


def unnamed(ids: Ids, cell: Cell) -> Ids:
    """The ids without those that only this endpoint takes."""
    return {
        name: value for name, value in ids.items() if not name.startswith(f"{cell.rule.endpoint}.")
    }


def of_trader(cell: Cell, ids: Ids) -> Ids:
    """The company that the address would name with these ids."""
    name = f"{cell.rule.endpoint}.trader_id"
    found = ids.get(name, ids["trader_id"])
    return {"trader_id": found, name: found}


def never(ids: Ids) -> Ids:
    """Ids and tokens that nothing has."""
    gone = absent(ids)
    return {
        name: "never-" + "0" * 37 if name.endswith("token") else value
        for name, value in gone.items()
    }


def make_sides(app, work_as: WorkAs, scene: Scene) -> tuple[Side, Side]:
    """The two importers with all that the matrix asks for, beyond what every scene has; committed."""
    for word, ids in ((CANARY, scene.a), (PLAIN, scene.b)):
        complete(app, work_as, scene, word, ids)
    check_complete(scene.a, scene.b)
    found = []
    for word, ids in ((CANARY, scene.a), (PLAIN, scene.b)):
        side = Side(word, ids)
        with work_as(system_actor("test")) as work:
            side.deleted = delete_some(work, scene, word, ids)
            side.others = in_other_states(app, work, scene, word, ids)
        side.deleted["session_id"] = ended_session(app, scene.people[f"{short(word)} officer"])
        found.append(side)
    seal_everything(app)
    return found[0], found[1]


def declined(work: Work, trader_id: uuid.UUID, scene: Scene) -> uuid.UUID:
    """A new officer whom a supervisor has declined."""
    found = propose_officer(work, trader_id, scene.people["reviewer"])
    successions.decline(as_staff(work, scene.people["supervisor"]), found, reason="Not shown.")
    return found.id


def check_complete(a: Ids, b: Ids) -> None:
    """Whatever the first importer has an id for, the second has one of its own for."""
    assert set(a) - set(b) == set()
    shared = {"decision_id", "move_id", "programme_id"}
    doubled = {name for name in a if len(a[name]) == len(str(NEVER)) and a[name] == b[name]}
    assert doubled <= shared, doubled


def short(word: str) -> str:
    return "a" if word == CANARY else "b"


def officer_of(scene: Scene, word: str) -> Person:
    return scene.holders[word][TraderRole.OFFICER]


def make_idle(work: Work, word: str, trader_id: uuid.UUID) -> Ids:
    """A suspended program of the trader's, and one of the agency's."""
    found = {}
    for owner, scopes, at in (
        ("api_access", TRADER_SCOPES, trader_id),
        ("agency_clients", AGENCY_SCOPES, None),
    ):
        idle = make_program(work, f"{word} idle {owner}", scopes, at)["api_client_id"]
        move(work, work.session.get_one(ApiClient, uuid.UUID(idle)), "suspend")
        found[f"{owner}.wake.api_client_id"] = idle
    return found


def agencys_own(app, work: Work, word: str) -> Ids:
    """What belongs to no importer, in a second copy."""
    release = make_program(work, f"{word} release system", AGENCY_SCOPES)
    return {
        **{f"agency_clients.{name}": value for name, value in release.items()},
        **make_webhooks(app, work, word),
    }


def complete(app, work_as: WorkAs, scene: Scene, word: str, ids: Ids) -> None:
    """Objects in the one state in which a route can succeed; for the second importer, all others too."""
    holders, reviewer = scene.holders[word], scene.people["reviewer"]
    for name in [one for one in ids if one.startswith("outdated.")]:
        ids[f"applications.{name.removeprefix('outdated.')}"] = ids[name]
    with work_as(system_actor("test")) as work:
        ready = make_brokerage(work, f"{word} Ready", str(next(CODES[word])), holders)
        fresh = make_case(work, f"{word} Fresh", str(next(CODES[word])), holders)
        judged = make_case(work, f"{word} Judged", str(next(CODES[word])), holders)
        own = take(work, judged, reviewer)
        accept_all(own, judged)
        verify_identifiers(own, judged)
        proposer = staff_actor(work, reviewer)
        ids |= make_idle(work, word, uuid.UUID(ids["trader_id"]))
        wanted = make_case(work, f"{word} Wanted", str(next(CODES[word])), holders)
        own = take(work, wanted, reviewer)
        accept_all(own, wanted)
        verify_identifiers(own, wanted)
        work.session.flush()
        ids |= {
            "applications.submit.trader_id": str(ready.trader_id),
            "applications.submit.application_id": str(ready.id),
            "casework.take.case_id": str(fresh.id),
            "casework.stop_waiting.case_id": scene.a_returned["case_id"],
            "case_id": str(judged.id),
            # There a new officer can be proposed still, and one was declined.
            "successions.propose.trader_id": str(ready.trader_id),
            "declined.succession_id": str(declined(work, ready.trader_id, scene)),
        }
        first = next(iter(cases.dossier(work, judged).criteria()))
        for page in ("section", "judge"):
            ids[f"casework.{page}.section_id"] = first.section_id
        ids["casework.judge.criterion_id"] = first.id
        waiting = recommend(own, wanted)
        work.session.flush()
        del waiting
    if word == CANARY:
        ids["applications.task.trader_id"] = scene.a_returned["trader_id"]
        ids["applications.task.application_id"] = scene.a_returned["application_id"]
        for page in ("snapshot", "receipt", "receipt_file"):
            ids[f"applications.{page}.trader_id"] = scene.a_returned["trader_id"]
            ids[f"applications.{page}.application_id"] = scene.a_returned["application_id"]
        ids["returned.trader_id"] = scene.a_returned["trader_id"]
        ids["returned.application_id"] = scene.a_returned["application_id"]
        ids["returned.assessment_id"] = scene.a_returned["assessment_id"]
        ids["returned.case_id"] = scene.a_returned["case_id"]
        return
    with work_as(system_actor("test")) as work:
        code = str(next(CODES[word]))
        returned = make_returned(work, holders, reviewer, word, code)
        conflict = make_conflict(work, scene.people["rival"], code)
        ids |= {
            "subject_id": str(make_subject(work, officer_of(scene, word))),
            "passkey_id": str(give_passkey(work, officer_of(scene, word)).id),
        }
        tokens = make_tokens(work, officer_of(scene, word), word)
        message = work.session.scalars(
            select(Message)
            .where(Message.template == "appointment-invitation")
            .where(Message.body.contains(word))
        ).first()
        assert message is not None
        ids |= {"message_id": str(message.id), "conflict_id": conflict["conflict_id"], **tokens}
        ids |= agencys_own(app, work, word)
    trader_id = uuid.UUID(ids["trader_id"])
    certified = ids["determination_id"]
    proposal = propose(work_as, trader_id, "validate", by=proposer, tier=2, reason_text=word)
    for page in ("task", "snapshot", "receipt", "receipt_file"):
        ids[f"applications.{page}.trader_id"] = returned["trader_id"]
        ids[f"applications.{page}.application_id"] = returned["application_id"]
    ids |= {f"returned.{name}": value for name, value in returned.items()}
    ids |= {
        "casework.stop_waiting.case_id": returned["case_id"],
        "determination_id": str(proposal),
        "register.determination_id": certified,
        "casework.determination_receipt.determination_id": certified,
        "decision_id": decision_of(scene.visitors["agency program"]),
        "session_id": str(sign_in(app.test_client(), officer_of(scene, word))),
        **{name: value for name, value in scene.a.items() if name not in ids and len(value) < 30},
        "casework.change_standing.move_id": "suspend",
    }


def delete_some(work: Work, scene: Scene, word: str, ids: Ids) -> Ids:
    """A row of each kind that was there once, at the importer itself."""
    own = acting(work, officer_of(scene, word))
    trader = work.session.get_one(Trader, uuid.UUID(ids["trader_id"]))
    site = add_site(own, trader, f"{word} former warehouse")
    contact = add_contact(own, trader, f"{word} Formerly", is_primary=False)
    claim = add_identifier(own, trader, Scheme.DUNS, "150483782" if word == CANARY else "804735132")
    revision = make_document(own, trader.id, filename=f"{word}-gone.pdf")
    documents.note_scan(work, revision, found=None)
    work.session.flush()
    traders.remove_site(own, site, version=site.version)
    traders.remove_contact(own, contact, version=contact.version)
    traders.withdraw_identifier(own, claim)
    documents.remove(own, revision.document)
    tokens: list[str] = []
    invitation = traders.appoint(
        own,
        trader,
        key=work.new_id(),
        email=f"former@{word.lower()}.example",
        role=TraderRole.VIEWER,
        link=lambda token: tokens.append(token) or f"http://localhost/invitations/{token}",
    )
    work.session.flush()
    traders.end_appointment(own, invitation)
    return {
        "site_id": str(site.id),
        "contact_id": str(contact.id),
        "identifier_id": str(claim.id),
        "document_id": str(revision.document_id),
        "revision_id": str(revision.id),
        "appointment_id": str(invitation.id),
        "token": tokens[0],
    }


def in_other_states(app, work: Work, scene: Scene, word: str, ids: Ids) -> list[Ids]:
    """The same kinds of objects, each in a state in which other things are possible."""
    own = acting(work, officer_of(scene, word))
    trader = work.session.get_one(Trader, uuid.UUID(ids["trader_id"]))
    batch = receive(own, trader, b"filing_ref\n", filename=f"{word}-waits.csv")
    work.session.flush()
    session = work.session
    verified = session.scalars(
        select(TraderIdentifier.id).where(
            TraderIdentifier.trader_id == trader.id, TraderIdentifier.value == ids["value"]
        )
    ).one()
    decided = session.scalars(
        select(Determination.id).where(
            Determination.trader_id == trader.id, Determination.move == "certify"
        )
    ).first()
    active = session.scalars(
        select(Appointment.id).where(
            Appointment.trader_id == trader.id,
            Appointment.person_id == scene.holders[word][TraderRole.PREPARER].id,
        )
    ).one()
    returned = {
        name.removeprefix("returned."): value
        for name, value in ids.items()
        if name.startswith("returned.")
    }
    return [
        {
            name: value
            for name, value in returned.items()
            if name in {"trader_id", "application_id"}
        },
        {
            name: value
            for name, value in returned.items()
            if name in {"trader_id", "assessment_id", "section_id", "criterion_id"}
        },
        {"case_id": returned["case_id"]},
        {"batch_id": str(batch.id)},
        {"succession_id": ids["declined.succession_id"]},
        {"identifier_id": str(verified)},
        {"determination_id": str(decided)},
        {"appointment_id": str(active)},
        {"trader_id": returned["trader_id"]},
    ]


def ended_session(app, person: Person) -> str:
    """A session that the person has ended."""
    wiring = app.extensions["fairway"]
    session_id = sign_in(app.test_client(), person)
    with transaction(wiring.engine, KEEPER) as db:
        db.execute(
            update(WebSession)
            .where(WebSession.id == session_id)
            .values(revoked_at=wiring.clock.now(), data={})
        )
    return str(session_id)

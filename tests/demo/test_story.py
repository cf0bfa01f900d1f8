"""The demonstration tells itself on an empty database, and leaves no screen empty."""

import json
import re
import stat
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.workflow import BatchState
from app.applications.models import Application
from app.applications.workflow import ApplicationState
from app.casework.models import Case
from app.casework.workflow import CaseState
from app.db.session import Principal, transaction
from app.delegations.models import Delegation
from app.delegations.queries import stage
from app.delegations.rules import Stage
from app.demo.accounts import ACCOUNTS, HARBOUR, JUNIPER, TIDEWAY
from app.demo.load import write_client_files
from app.demo.story import tell
from app.facilitation.models import Decision
from app.identity.queries import known_person
from app.kernel.identifiers import Scheme
from app.notifications.models import Message
from app.register.models import Determination, RegisterEntry
from app.register.programme import Status
from app.register.queries import answer, breaches, standing_of
from app.register.workflow import DeterminationState
from app.traders.models import IdentifierConflict, Trader, TraderIdentifier
from app.traders.workflow import ConflictState, IdentifierState
from tests.factories.identity import sign_in

SECURITY = "security"
# Three, two and four digits, set apart by hyphens and by nothing else around them.
PERSONAL = r"(^|[^0-9A-Za-z-])[0-9]{3}-[0-9]{2}-[0-9]{4}($|[^0-9A-Za-z-])"


@pytest.fixture
def read(engine):
    with transaction(engine, Principal("system:test"), read_only=True) as session:
        yield session


def states(session, model):
    # The state column is private so that only `app.work.move` writes it; reading it is free.
    return Counter(session.scalars(select(model._state)))  # noqa: SLF001


def trader(session, name):
    return session.scalars(select(Trader).where(Trader.name == name)).one()


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_the_story_tells_itself(app, client, engine, settings, clock, read):
    tell(engine, settings, until=clock.now())
    check_traders(read)
    check_standings(read, clock.now())
    check_cases(read)
    check_advance_data(read)
    check_delegations(read, clock.now())
    check_time(read, clock.now())
    check_no_personal_number(read, settings)
    check_lists_page(client, read)
    check_client_files(engine, settings)


def check_traders(read):
    kinds = Counter(str(one) for one in read.scalars(select(Trader.entity_type)))
    assert sum(kinds.values()) >= 60
    assert kinds["importer"] >= 38
    assert kinds["broker"] >= 12
    assert len(kinds) == 8
    held = read.execute(
        select(TraderIdentifier.scheme, TraderIdentifier.value).where(
            TraderIdentifier.trader_id == trader(read, HARBOUR).id,
            TraderIdentifier._state == IdentifierState.VERIFIED,  # noqa: SLF001
        )
    ).all()
    assert (Scheme.IOR, "12-345678900") in held
    found = states(read, TraderIdentifier)
    assert found[IdentifierState.CLAIMED]
    assert found[IdentifierState.REFUSED]
    assert states(read, IdentifierConflict) == {ConflictState.OPEN: 2, ConflictState.RESOLVED: 1}
    for account in ACCOUNTS:
        assert known_person(read, account.email).name == account.name


def check_standings(read, now):
    given = answer(read, Scheme.IOR, "12-345678900", now=now)
    assert given.answer == "active"
    assert [(one.tier, one.status) for one in given.standings] == [(2, Status.VALIDATED)]
    in_force = read.scalars(
        select(RegisterEntry).where(
            RegisterEntry.valid.contains(now), func.upper_inf(RegisterEntry.recorded)
        )
    ).all()
    seen = {(one.status, one.tier) for one in in_force}
    assert {("certified", 1), ("validated", 2), ("validated", 3)} <= seen
    assert {"suspended", "removed", "withdrawn", "rejected", "ineligible"} <= {
        one.status for one in in_force
    }
    assert any(one.restrictions for one in in_force if one.status == Status.VALIDATED)
    coming = read.scalars(
        select(RegisterEntry).where(
            func.lower(RegisterEntry.valid) > now, func.upper_inf(RegisterEntry.recorded)
        )
    ).all()
    assert {one.status for one in coming} == {"validated", "removed"}
    assert set(states(read, Determination)) == set(DeterminationState)
    late = breaches(read, now=now)
    assert len(late) == 1
    signed = read.scalars(select(Determination).where(Determination.decided_by.is_not(None))).all()
    assert len(signed) > 40
    assert all(one.decided_by != one.proposed_by for one in signed)
    moves = set(read.scalars(select(Determination.move)))
    assert {"reinstate", "restrict", "lift-restriction", "lower-tier", "correct"} <= moves


def check_cases(read):
    assert set(states(read, Application)) == set(ApplicationState)
    assert set(states(read, Case)) == set(CaseState)

    def last(name):
        return read.scalars(
            select(Application)
            .where(Application.trader_id == trader(read, name).id)
            .order_by(Application.started_at.desc())
        ).first()

    assert last(HARBOUR).state == ApplicationState.GRANTED
    assert last(TIDEWAY).state == ApplicationState.DRAFT
    returned = last(JUNIPER)
    assert returned.state == ApplicationState.RETURNED
    assert len([one for one in returned.reopened_tasks if one.startswith("assessment:")]) == 2
    assert standing_of(read, returned.trader_id, SECURITY, valid_at=returned.submitted_at) is None


def check_delegations(read, now):
    found = {
        (one.trader_name, one.broker_name): stage(one, now)
        for one in read.scalars(select(Delegation))
    }
    assert found.pop((HARBOUR, TIDEWAY)) is Stage.LIVE
    assert found.pop((JUNIPER, TIDEWAY)) is Stage.OFFERED
    assert set(found.values()) == {Stage.ASKED}
    through = read.scalars(
        select(Batch).where(Batch.acting_trader_id == trader(read, TIDEWAY).id)
    ).all()
    assert {one.trader_id for one in through} == {trader(read, HARBOUR).id}
    assert max(one.accepted for one in through) > 20


def check_advance_data(read):
    assert count(read, Filing) > 4500
    batches = states(read, Batch)
    assert batches[BatchState.FAILED] == 1
    assert batches[BatchState.DONE] >= 40
    rows = read.execute(select(func.sum(Batch.read), func.sum(Batch.rejected))).one()
    assert 0.015 < rows[1] / rows[0] < 0.06
    codes = set(read.scalars(select(FilingFault.code).distinct()))
    assert {"IOR_FORMAT", "CNTR_CHECK", "HTS", "ISO", "BL_FORMAT", "NAME"} <= codes
    assert {"VALUE", "QTY", "DATE", "AUTHORITY", "ORIGIN_MISMATCH"} <= codes
    assert count(read, Decision) > 40
    assert read.scalar(select(func.count()).where(Message.sent_at.is_(None))) == 0
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
    assert read.scalar(text(waiting)) == 0


def check_time(read, now):
    first, last = read.execute(
        text("SELECT min(at), max(at) FROM audit_event WHERE tag <> 'client:created'")
    ).one()
    assert last <= now
    assert now - first > timedelta(days=700)


def check_no_personal_number(read, settings):
    names = read.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    for name in names:
        found = read.scalar(
            text(f'SELECT count(*) FROM "{name}" AS t WHERE t::text ~ :form'),  # noqa: S608
            {"form": PERSONAL},
        )
        assert found == 0, name
    form = re.compile(PERSONAL.encode())
    for path in (settings.home / "files").rglob("*"):
        assert not path.is_file() or not form.search(path.read_bytes()), path


def check_lists_page(client, read):
    own = f"/traders/{trader(read, HARBOUR).id}"
    lists = {
        "reviewer": ("/console/queue/all", "/console/register", "/demo/mailbox"),
        "importer-officer": (f"{own}/advance-data", f"{own}/advance-data/filings"),
    }
    keys = {account.key: account for account in ACCOUNTS}
    for key, addresses in lists.items():
        sign_in(client, known_person(read, keys[key].email))
        for address in addresses:
            page = client.get(address)
            assert page.status_code == 200, address
            assert "page=2" in page.text, address
    for tab in ("mine", "unassigned", "responses", "waiting", "countersign"):
        sign_in(client, known_person(read, keys["reviewer"].email))
        assert "/console/cases/" in client.get(f"/console/queue/{tab}").text, tab


def check_client_files(engine, settings):
    seen = []
    for _ in range(2):
        write_client_files(engine, settings)
        for name in ("demo-client.json", "demo-trader-client.json"):
            path = settings.home / name
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            body = json.loads(path.read_text())
            assert set(body) == {"client_id", "client_secret", "token_url", "base_url"}
            seen.append(body["client_secret"])
    assert len(set(seen)) == 4

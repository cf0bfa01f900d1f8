"""Receipts: whoever may see the thing can have one, and nobody can alter one unnoticed."""

import base64
import importlib.util
import json
import uuid
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import select

from app.advance_data.models import Filing
from app.applications.models import Snapshot
from app.audit import sealing
from app.audit.notes import LOG, Signer
from app.authz.actor import AgencyRole, system_actor
from app.cli import record
from app.identity.keys import load_or_create
from app.kernel.ids import new_id
from app.traders.models import Trader
from tests.factories.advance_data import make_batch, rows
from tests.factories.casework import make_case, make_staff, signed_in
from tests.factories.delegations import broker_actor, delegate, make_pair
from tests.factories.identity import make_person
from tests.factories.register import decide, propose, suspend_urgently
from tests.factories.traders import acting, add_identifier, make_trader

SYSTEM = system_actor("test")
CANARY = "Quokkaberry"


@dataclass
class Company:
    """A trader with filings, by its officer's browser."""

    trader_id: uuid.UUID
    browser: object

    def get(self, path):
        return self.browser.get(f"/traders/{self.trader_id}{path}")


@pytest.fixture
def signer(tmp_path):
    key = load_or_create(tmp_path / "keys", "audit").keys[0]
    return Signer("fairway.test", LOG, key.private_key)


@pytest.fixture
def seal(engine, signer, tmp_path, clock):
    copies = sealing.Copies(tmp_path / "checkpoints")
    return lambda: sealing.seal(engine, signer, copies, now=clock.now())


@pytest.fixture
def company_of(app, work_as):
    def make(name, number, filings=5):
        with work_as(SYSTEM) as work:
            officer = make_person(work, name=f"{name} officer")
            trader = make_trader(work, officer, name=f"{name} Imports LLC")
            add_identifier(work, trader, value=number, verified=True)
            work.session.flush()
            good = rows(filings, importer_number=number, mf_name=f"{name} Works")
            make_batch(acting(work, officer), trader, [*good, {**good[0], "quantity": "0"}])
        return Company(trader.id, signed_in(app, officer))

    return make


@pytest.fixture
def own(company_of):
    return company_of("Harbour", "12-345678900")


@pytest.fixture(scope="session")
def program():
    """The program for strangers, which stands alone, so it is loaded by its path."""
    made = importlib.util.spec_from_file_location("verify_audit", record.VERIFIER)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


@pytest.fixture
def check(tmp_path, signer, capsys, program):
    """What the program for strangers says of a file, and what it shows."""

    def ask(content, key=None):
        path = tmp_path / "a.tlog-proof"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        capsys.readouterr()
        told = program.verify(str(path), str(key or signer.verifier))
        return told, capsys.readouterr().out

    return ask


def filings_of(work_as, trader_id):
    with work_as(SYSTEM) as work:
        return work.session.scalars(
            select(Filing).where(Filing.trader_id == trader_id).order_by(Filing.file_row)
        ).all()


def place_of(filing):
    return f"/advance-data/filings/{filing.id}/receipt.tlog-proof"


def test_each_filing_of_a_batch_has_a_receipt_that_stands_alone(own, seal, check, work_as):
    found = filings_of(work_as, own.trader_id)
    assert len(found) == 5
    early = own.get(place_of(found[0]))
    assert (early.status_code, early.headers["Retry-After"]) == (409, "1")
    assert "Not sealed yet: ask again in a second." in own.get(place_of(found[0])[:-11]).text
    seal()
    for one in found:
        answer = own.get(place_of(one))
        assert answer.status_code == 200
        assert f"filename={one.receipt}.tlog-proof" in answer.headers["Content-Disposition"]
        told, shown = check(answer.data)
        assert told == ""
        assert one.receipt in shown
        assert one.sha256 in shown
        assert one.content["bill_number"] in shown
        assert "batch:checked at 2026-11-24T12:00:00" in shown
    page = own.get(f"/advance-data/filings/{found[0].id}").text
    assert place_of(found[0]) in page


def test_no_byte_of_a_receipt_can_be_flipped(own, seal, check, work_as):
    seal()
    whole = own.get(place_of(filings_of(work_as, own.trader_id)[3])).data
    assert check(whole)[0] == ""
    unnoticed = []
    for place in range(len(whole)):
        for bit in (0x01, 0x20):
            bent = bytearray(whole)
            bent[place] ^= bit
            if check(bytes(bent))[0] == "":
                unnoticed.append((place, bit))
    assert unnoticed == []
    assert [count for count in range(len(whole)) if check(whole[:count])[0] == ""] == []
    assert check(whole + b"\n")[0] != ""
    assert check(whole + whole)[0] != ""


def forged(whole, **changes):
    """The receipt with other members in what it tells, in the right form."""
    head, _, rest = whole.decode().partition("\nindex ")
    first, _, extra = head.partition("\nextra ")
    told = {**json.loads(base64.b64decode(extra)), **changes}
    told = {name: value for name, value in told.items() if value is not None}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{first}\nextra {base64.b64encode(text.encode()).decode()}\nindex {rest}"


def test_a_receipt_put_together_from_others_is_refused(
    own, company_of, seal, check, work_as, tmp_path
):
    other = company_of("Bright", "91-114444201", filings=1)
    seal()
    first, second, *_ = (own.get(place_of(one)).data for one in filings_of(work_as, own.trader_id))
    strange = other.get(place_of(filings_of(work_as, other.trader_id)[0])).data
    parts = [
        json.loads(base64.b64decode(one.split(b"\n")[1].removeprefix(b"extra ")))
        for one in (first, second, strange)
    ]
    assert check(forged(first))[0] == ""
    among = "The filing is not among those that the event vouches for."
    assert check(forged(first, entry=parts[1]["entry"]))[0] == among
    assert check(forged(first, path=parts[1]["path"]))[0] == among
    assert check(forged(first, index=parts[1]["index"]))[0] == among
    alone = {name: parts[2][name] for name in ("entry", "content", "index", "path")}
    assert check(forged(first, **alone))[0] != ""
    not_filed = "The content is not what was filed."
    assert check(forged(first, content=parts[1]["content"]))[0] == not_filed
    unsigned = "The event is not in the log that was signed."
    assert check(forged(first, body=parts[2]["body"]))[0] == unsigned
    unknown = "The receipt is of a form that this program does not know."
    assert check(forged(first, more="x"))[0] == unknown
    assert check(forged(first, entry=None))[0] == unknown
    assert check(forged(first, format="fairway-receipt/2"))[0] == unknown
    stranger = load_or_create(tmp_path / "other", "audit").keys[0].private_key
    key = Signer("fairway.test", LOG, stranger).verifier
    assert check(first, key)[0] == "The checkpoint is not signed by the log."


def test_a_receipt_tells_nothing_of_anybody_else(own, company_of, seal, work_as):
    company_of(CANARY, "91-114444201")
    seal()
    for one in filings_of(work_as, own.trader_id):
        answer = own.get(place_of(one)).data
        told = base64.b64decode(answer.split(b"\n")[1].removeprefix(b"extra ")).decode()
        assert CANARY not in told
        # The officer's own name stands in the leaf as a commitment alone.
        assert "Harbour officer" not in told
        assert sum(each.receipt in told for each in filings_of(work_as, own.trader_id)) == 1


def test_foreign_and_absent_receipts_are_the_same(own, company_of, seal, work_as):
    other = company_of(CANARY, "91-114444201")
    seal()
    foreign = filings_of(work_as, other.trader_id)[0]
    for path in (
        f"/traders/{other.trader_id}{place_of(foreign)}",
        f"/traders/{own.trader_id}{place_of(foreign)}",
        f"/traders/{own.trader_id}/advance-data/filings/{new_id()}/receipt.tlog-proof",
    ):
        answer = own.browser.get(path)
        assert answer.status_code == 404
        assert CANARY not in answer.text


def test_a_filing_of_before_there_were_receipts_says_so(own, seal, work_as, super_engine):
    seal()
    with super_engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE audit_event SET data = data - 'filings_root'")
    one = filings_of(work_as, own.trader_id)[0]
    assert own.get(place_of(one)).status_code == 404
    assert "before the log gave receipts" in own.get(f"/advance-data/filings/{one.id}").text


def test_a_broker_has_receipts_of_what_it_filed(app, work_as, seal, check):
    with work_as(SYSTEM) as work:
        pair = make_pair(work)
        delegate(work, pair)
        acts = replace(work, actor=broker_actor(work, pair.broker_officer))
        batch = make_batch(acts, work.session.get_one(Trader, pair.trader_id), rows(2))
        assert batch.accepted == 2
    browser = signed_in(app, pair.broker_officer)
    seal()
    one = filings_of(work_as, pair.trader_id)[1]
    answer = browser.get(f"/traders/{pair.trader_id}{place_of(one)}")
    assert answer.status_code == 200
    assert check(answer.data)[0] == ""


def test_a_determination_has_a_receipt_for_both_sides(app, own, seal, check, work_as):
    with work_as(SYSTEM) as work:
        auditor = make_staff(work, AgencyRole.AUDITOR)
    console = signed_in(app, auditor)
    certified = decide(work_as, own.trader_id, "certify", tier=1)
    proposed = propose(work_as, own.trader_id, "validate", tier=2)
    suspended = suspend_urgently(work_as, own.trader_id)
    place = "/standing/determinations/{}.tlog-proof".format
    assert "Not sealed yet" in own.get("/standing").text
    assert own.get(place(certified)).status_code == 409
    seal()
    for one, tag in ((certified, "approved"), (suspended, "suspended-urgently")):
        answer = own.get(place(one))
        assert answer.status_code == 200
        told, shown = check(answer.data)
        assert told == ""
        assert f"determination:{tag} at 2026-11-24" in shown
        again = console.get(f"/console/determinations/{one}/receipt.tlog-proof")
        assert again.data == answer.data
    # What was only proposed is the agency's own affair.
    assert own.get(place(proposed)).status_code == 404
    assert place(suspended) in own.get("/standing").text
    assert place(proposed) not in own.get("/standing").text
    page = console.get(f"/console/determinations/{certified}").text
    assert "receipt.tlog-proof" in page
    assert "receipt.tlog-proof" not in console.get(f"/console/determinations/{proposed}").text


def test_a_foreign_determination_has_none(own, company_of, seal, work_as):
    other = company_of(CANARY, "91-114444201")
    foreign = decide(work_as, other.trader_id, "certify", tier=1)
    seal()
    for trader_id in (own.trader_id, other.trader_id):
        place = f"/traders/{trader_id}/standing/determinations/{foreign}.tlog-proof"
        answer = own.browser.get(place)
        assert answer.status_code == 404
        assert CANARY not in answer.text


def test_a_submission_has_a_receipt(app, work_as, seal, check):
    with work_as(SYSTEM) as work:
        case, officer = make_case(work)
        snapshot = work.session.scalars(select(Snapshot)).one()
        base = f"/traders/{case.trader_id}/applications/{case.application_id}/snapshots/1/receipt"
    browser = signed_in(app, officer)
    assert "Not sealed yet" in browser.get(base).text
    seal()
    answer = browser.get(f"{base}.tlog-proof")
    assert answer.status_code == 200
    told, shown = check(answer.data)
    assert told == ""
    assert "application:submitted" in shown
    assert snapshot.sha256 in shown
    assert f"{base}.tlog-proof" in browser.get(base).text

"""`on_behalf_of`: a broker's program files and reads for a client that lets it, and for nobody else."""

import pytest
from sqlalchemy import select

from app.advance_data.models import Batch
from app.authz.actor import DelegationScope, system_actor
from app.delegations import service
from app.delegations.models import Delegation
from app.identity.service import create_client
from app.kernel.ids import new_id
from app.traders.models import Trader
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.factories.advance_data import make_batch
from tests.factories.delegations import delegate, make_pair
from tests.factories.identity import sign_in
from tests.factories.traders import acting

S = DelegationScope
NUMBER = "12-345678900"
SCOPES = ("filings:write", "filings:read", "status:self")


@pytest.fixture
def pair(work_as):
    with work_as(system_actor("test")) as work:
        return make_pair(work)


@pytest.fixture
def program(app, work_as):
    """A program of a trader's, as a function of method, path and what is sent."""

    def open_program(trader_id):
        with work_as(system_actor("test")) as work:
            row, secret = create_client(
                work, name="Filing system", scopes=SCOPES, trader_id=trader_id
            )
            client_id = row.client_id
        client = app.test_client()
        token = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret)
        ).get_json()["access_token"]

        def call(method, path, **sent):
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())}
            return client.open(f"/trader/v1{path}", method=method, headers=headers, **sent)

        return call

    return open_program


def let(work_as, pair, *scopes):
    with work_as(system_actor("test")) as work:
        return delegate(work, pair, scopes).id


def filing(on_behalf_of, reference="PO-1"):
    row = {k: v for k, v in good_row(importer_number=NUMBER, filing_ref=reference).items() if v}
    return {**row, "on_behalf_of": str(on_behalf_of)}


def codes(answer):
    return [one["code"] for one in answer.get_json()["errors"]]


def test_a_broker_files_for_its_client_and_reads_it_back_by_name(pair, program, work_as):
    delegation_id = let(work_as, pair, S.SUBMIT)
    call = program(pair.broker_id)
    made = call("POST", "/filings", json=filing(pair.trader_id))
    assert made.status_code == 201, made.text
    path = made.headers["Location"].removeprefix("/trader/v1")
    assert call("GET", path, query_string={"on_behalf_of": str(pair.trader_id)}).status_code == 200
    assert call("GET", path).status_code == 404
    with work_as(system_actor("test")) as work:
        batch = work.session.scalars(select(Batch)).one()
        assert (batch.trader_id, batch.acting_trader_id, batch.delegation_id) == (
            pair.trader_id,
            pair.broker_id,
            delegation_id,
        )


def test_what_a_brokers_program_reads_stands_in_its_clients_activity(app, pair, program, work_as):
    let(work_as, pair, S.SUBMIT, S.STATUS)
    call = program(pair.broker_id)
    named = {"query_string": {"on_behalf_of": str(pair.trader_id)}}
    path = call("POST", "/filings", json=filing(pair.trader_id)).headers["Location"]
    browser = app.test_client()
    sign_in(browser, pair.officer)
    page = f"/traders/{pair.trader_id}/activity"
    assert "by a program" not in browser.get(page).text
    assert call("GET", path.removeprefix("/trader/v1"), **named).status_code == 200
    assert call("GET", "/status", **named).status_code == 200
    shown = browser.get(page).text
    assert shown.count("advance data or standing, by a program") == 2
    assert "A program" in shown
    # What was not shown is not told, and what a program reads of its own company is no access.
    assert call("GET", "/status", query_string={"on_behalf_of": str(new_id())}).status_code == 422
    assert call("GET", "/status").status_code == 200
    assert browser.get(page).text.count("by a program") == 2


def test_foreign_unknown_revoked_and_unscoped_are_answered_alike(pair, program, work_as):
    with work_as(system_actor("test")) as work:
        other = make_pair(work, number="91-114444201", name="Narrows")
    let(work_as, other, S.DATA, S.STATUS)
    delegation_id = let(work_as, pair, S.SUBMIT)
    with work_as(system_actor("test")) as work:
        service.revoke(
            acting(work, pair.officer),
            work.session.get_one(Delegation, delegation_id),
            by=work.session.get_one(Trader, pair.trader_id),
        )
    answers = []
    for broker, client in (
        (pair.broker_id, pair.trader_id),
        (pair.broker_id, other.trader_id),
        (pair.broker_id, new_id()),
        (pair.broker_id, "not an id"),
        (other.broker_id, other.trader_id),
    ):
        answer = program(broker)("POST", "/filings", json=filing(client))
        assert (answer.status_code, codes(answer)) == (422, ["AUTHORITY"])
        told = answer.get_json()
        answers.append({name: told[name] for name in ("title", "detail", "errors", "type")})
    assert all(one == answers[0] for one in answers)


def test_without_on_behalf_of_a_broker_files_for_itself_alone(pair, program, work_as):
    let(work_as, pair, S.SUBMIT)
    answer = program(pair.broker_id)("POST", "/filings", json=filing(""))
    assert (answer.status_code, codes(answer)) == (422, ["AUTHORITY"])


def test_a_client_number_of_another_client_is_no_authority(pair, program, work_as):
    with work_as(system_actor("test")) as work:
        other = make_pair(work, number="91-114444201", name="Narrows")
    let(work_as, pair, S.SUBMIT)
    row = filing(pair.trader_id) | {"importer_number": "91-114444201"}
    answer = program(pair.broker_id)("POST", "/filings", json=row)
    assert (answer.status_code, codes(answer)) == (422, ["AUTHORITY"])
    assert other.trader_id != pair.trader_id


def test_a_batch_revoked_before_its_check_is_refused_row_by_row(pair, program, work_as, run_jobs):
    delegation_id = let(work_as, pair, S.SUBMIT)
    call = program(pair.broker_id)
    client = {"on_behalf_of": str(pair.trader_id)}
    sent = call(
        "POST",
        "/batches",
        query_string=client,
        data=csv_bytes([good_row(importer_number=NUMBER)]),
        content_type="text/csv",
    )
    assert sent.status_code == 202, sent.text
    with work_as(system_actor("test")) as work:
        service.revoke(
            acting(work, pair.officer),
            work.session.get_one(Delegation, delegation_id),
            by=work.session.get_one(Trader, pair.trader_id),
        )
    run_jobs()
    with work_as(system_actor("test")) as work:
        batch = work.session.scalars(select(Batch)).one()
        assert (batch.state, batch.accepted, batch.rejected) == ("done", 0, 1)


def test_each_scope_reads_its_own(pair, program, work_as):
    with work_as(system_actor("test")) as work:
        trader = work.session.get_one(Trader, pair.trader_id)
        batch = make_batch(
            acting(work, pair.officer), trader, csv_bytes([good_row(importer_number=NUMBER)])
        )
        batch_id = batch.id
    client = {"on_behalf_of": str(pair.trader_id)}
    let(work_as, pair, S.SUBMIT)
    call = program(pair.broker_id)
    assert call("GET", f"/batches/{batch_id}", query_string=client).status_code == 404
    assert call("GET", f"/batches/{batch_id}/errors", query_string=client).status_code == 404
    assert call("GET", "/status", query_string=client).status_code == 422
    with work_as(system_actor("test")) as work:
        other = make_pair(work, number="91-114444201", name="Narrows")
    again = type(pair)(pair.trader_id, other.broker_id, pair.officer, other.broker_officer)
    let(work_as, again, S.DATA, S.STATUS)
    sees = program(other.broker_id)
    assert sees("GET", f"/batches/{batch_id}", query_string=client).status_code == 200
    assert sees("GET", "/status", query_string=client).get_json()["partner_id"] == str(
        pair.trader_id
    )
    assert sees("POST", "/filings", json=filing(pair.trader_id)).status_code == 422

"""Clients that a stranger makes from our descriptions, without reading anything else, work."""

import importlib
import io
import json
import threading

import pytest
import requests
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType
from werkzeug.serving import make_server

from app.authz.actor import system_actor
from app.identity.service import create_client
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.facilitation.scenes import transaction
from tests.factories.identity import make_person
from tests.factories.register import make_partner, suspend_urgently
from tests.factories.traders import add_identifier, make_trader

IOR = "12-345678900"
SYSTEM = system_actor("test")
# How a stranger tells the generator that a CSV is a file, and a token a text.
MEDIA = {
    "text/csv": "application/octet-stream",
    "application/jwt": "text/plain",
    "application/statuslist+jwt": "text/plain",
    "application/x-ndjson": "application/octet-stream",
}


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def keep_one_kind_of_file(content):
    """A generated client cannot choose among kinds of files, so a stranger keeps its own."""
    first = next(iter(content), "")
    for name in [*content][1:]:
        del content[name]
    assert first in {"", "application/json", "text/csv"}


@pytest.fixture
def generated(address, tmp_path, monkeypatch):
    """The package that the generator makes of one description; it has to find nothing odd in it."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(prefix, name):
        source = tmp_path / f"{name}.json"
        found = requests.get(f"{address}{prefix}/openapi.json", timeout=10).json()
        for item in found["paths"].values():
            keep_one_kind_of_file(item.get("post", {}).get("requestBody", {}).get("content", {}))
        source.write_text(json.dumps(found))
        config = Config.from_sources(
            ConfigFile(content_type_overrides=MEDIA, post_hooks=[]),
            MetaType.NONE,
            document_source=source,
            file_encoding="utf-8",
            overwrite=False,
            output_path=tmp_path / name,
        )
        odd = generate(config=config)
        assert [(one.header, one.detail) for one in odd] == []
        return lambda module: importlib.import_module(f"{name}.{module}")

    return make


def client_of(package, address, row, secret):
    """A client of the package with a token that the token endpoint gave for the secret."""
    answer = requests.post(
        f"{address}/oauth/token",
        auth=(row, secret),
        data={"grant_type": "client_credentials"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    return package("client").AuthenticatedClient(base_url=address, token=token)


@pytest.fixture
def internal(generated, address, work_as):
    package = generated("/api/v1", "stranger_of_the_agency")
    with work_as(SYSTEM) as work:
        scopes = ("status:read", "feed:read", "decisions:write", "decisions:read")
        row, secret = create_client(work, name="Release system", scopes=scopes)
        client_id = row.client_id
    return package, client_of(package, address, client_id, secret)


@pytest.fixture
def traders(generated, address, work_as):
    package = generated("/trader/v1", "stranger_of_a_trader")
    with work_as(SYSTEM) as work:
        trader = make_trader(work, make_person(work), name="Harbour Lane Imports LLC")
        add_identifier(work, trader, value=IOR, verified=True)
        scopes = ("filings:write", "filings:read", "status:self")
        row, secret = create_client(work, name="Filing", scopes=scopes, trader_id=trader.id)
        client_id = row.client_id
    return package, client_of(package, address, client_id, secret)


def call(pair, operation, **given):
    package, client = pair
    return package(f"api.default.{operation}").sync_detailed(client=client, **given)


def test_a_release_system_asks_and_is_told_of_a_suspension(internal, work_as):
    package, _ = internal
    partner_id = make_partner(work_as, f"ior:{IOR}", tier=2)
    scheme = package("models.get_status_scheme").GetStatusScheme.IOR
    told = call(internal, "get_status", scheme=scheme, value=IOR).parsed
    assert told.answer == "active"
    assert [one.tier for one in told.standings] == [2]
    suspend_urgently(work_as, partner_id)
    after = call(internal, "get_status", scheme=scheme, value=IOR, min_seq=told.seq + 1).parsed
    assert after.answer == "not_active"
    changes = call(internal, "get_changes", after=0).parsed
    assert [one.seq for one in changes.changes] == list(range(1, after.seq + 1))
    refused = call(internal, "get_status", scheme=scheme, value="1")
    assert (refused.status_code, refused.parsed.status) == (400, 400)


def test_a_release_system_asks_for_many_for_the_list_and_for_decisions(internal, work_as):
    package, _ = internal
    make_partner(work_as, f"ior:{IOR}", tier=2)
    models = package("models")
    body = models.StatusesBody.from_dict(
        {"identifiers": [{"scheme": "ior", "value": IOR}, {"scheme": "ior", "value": "?"}]}
    )
    told = call(internal, "get_statuses", body=body).parsed
    assert [one.answer for one in told.statuses] == ["active", "malformed"]
    assert call(internal, "get_status_list").parsed.count(".") == 2
    asked = models.DecisionsBody.from_dict({"transactions": [transaction()]})
    [decision] = call(internal, "decide", body=asked).parsed.decisions
    assert decision.transaction_id == "TX-000001"
    stored = call(internal, "get_decision", decision_id=decision.decision_id).parsed
    assert stored.transaction_id == "TX-000001"
    again = call(internal, "replay_decision", decision_id=decision.decision_id).parsed
    assert again.equal is True


def test_a_trader_files_one_row_and_reads_it_again(traders):
    package, _ = traders
    body = package("models").FileOneBody.from_dict(good_row())
    answer = call(traders, "file_one", body=body, idempotency_key="one")
    assert answer.status_code == 201, answer.content
    again = call(traders, "file_one", body=body, idempotency_key="one")
    assert again.parsed.receipt == answer.parsed.receipt
    found = call(traders, "get_filing", filing_id=answer.parsed.id).parsed
    assert found.content.to_dict()["filing_ref"] == good_row()["filing_ref"]
    assert call(traders, "get_own_status").parsed.answer == "not_a_partner"
    wrong = package("models").FileOneBody.from_dict(good_row(hts="7701"))
    refused = call(traders, "file_one", body=wrong, idempotency_key="two")
    assert refused.status_code == 422
    assert "HTS" in {one.code for one in refused.parsed.errors}


def test_a_trader_files_a_file_and_asks_what_became_of_it(traders, run_jobs):
    package, _ = traders
    rows = csv_bytes([good_row(), good_row(filing_ref="SECOND", hts="7701")])
    stream = package("types").File(payload=io.BytesIO(rows))
    sent = call(traders, "file_many", body=stream, idempotency_key="file")
    assert sent.status_code == 202, sent.content
    run_jobs()
    batch = call(traders, "get_batch", batch_id=sent.parsed.id).parsed
    assert batch.state == "done", batch
    assert (batch.read, batch.accepted, batch.rejected) == (2, 1, 1)
    errors = call(traders, "get_errors", batch_id=sent.parsed.id).parsed
    assert "HTS" in {one.code for one in errors.errors}

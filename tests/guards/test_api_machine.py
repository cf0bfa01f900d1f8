"""A machine asks both APIs, as each kind of caller, for what their descriptions say and do not say.

It finds server errors, answers that the description does not know, and words of another trader.
What is somebody else's is among what it asks for: each id in an address and each trader acted for
is now and then one of the first importer's, whose every text holds the canary.
"""

import json
import os
import threading
from collections import Counter

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation import GenerationMode
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app.advance_data import schemas as traders
from app.advance_data.formats import ABI, CSV, NDJSON, XLSX
from app.authz.actor import system_actor
from app.identity.models import ApiClient
from app.status_api import schemas as internal
from tests.advance_data.abi.messages import isf10, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.advance_data.workbooks import workbook
from tests.guards.scene import CANARY, program, work_as_on

EXAMPLES = int(os.environ.get("FAIRWAY_API_EXAMPLES", "10"))
"""For each operation; `make security` asks for 300, and for every border of every field besides."""

THOROUGH = 100
PREFIXES = {"agency": "/api/v1/", "trader": "/trader/v1/"}
ROLES = ("agency program", "narrow program", "b program", "nobody")
OWN = {"agency": ("agency program", "narrow program"), "trader": ("b program",)}
ACCEPTED = ["2xx", 400, 401, 403, 404, 409, 415, 422, 503]
SEEDS = range(2026, 2031)
CONFIG = {
    # How many examples were thrown away is the generator's affair; the test itself asks at the
    # end whether each operation was called as promised and otherwise.
    "suppress-health-check": ["filter_too_much"],
    "generation": {"mode": "all", "max-examples": EXAMPLES, "database": "none"},
    "phases": {
        "stateful": {"enabled": False},
        "examples": {"enabled": False},
        "coverage": {"enabled": EXAMPLES >= THOROUGH},
    },
    "checks": {
        # 503 is a promised answer; `well_behaved` looks at it.
        "not_a_server_error": {"expected-statuses": ["2xx", "4xx", 503]},
        # Check digits, numbers that were never issued and the rules of filing are in no schema.
        "positive_data_acceptance": {"expected-statuses": ACCEPTED},
    },
}

# Of bytes the machine knows nothing, so it would send none at all.
for media, good in {
    CSV: csv_bytes([good_row()]),
    XLSX: workbook([good_row()]),
    NDJSON: json.dumps(good_row()).encode(),
    ABI: message(isf10()),
}.items():
    schemathesis.openapi.media_type(media, st.one_of(st.just(good), st.binary(min_size=1)))


class Silent(WSGIRequestHandler):
    """Says nothing about each request."""

    def log(self, type, message, *args):  # noqa: A002 - the library's own name.
        pass


@pytest.fixture(scope="module")
def address(site):
    server = make_server("127.0.0.1", 0, site, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def callers(site, scene, _clock, _engine):
    """The headers of each role; the quotas are out of the way, for they have tests of their own."""
    work_as = work_as_on(_engine, _clock)
    narrow = program(site, work_as, ("status:read",))
    with work_as(system_actor("test")) as work:
        for client in work.session.scalars(select(ApiClient)):
            client.per_minute = client.per_day = 1_000_000
    return {
        "nobody": {},
        "narrow program": narrow.headers,
        **{name: scene.visitors[name].headers for name in ("agency program", "b program")},
    }


def description(site, prefix):
    """What the application tells programs of the addresses under one prefix."""
    return site.test_client().get(f"{prefix}openapi.json").get_json()


@schemathesis.check
def well_behaved(context, response, case):
    """Refusals are problems, a 503 says when to come back, and nothing of a stranger's is said."""
    if not case.operation.path.startswith(tuple(PREFIXES.values())):
        return
    if response.status_code >= 400:
        assert response.headers["content-type"][0] == "application/problem+json"
    if response.status_code >= 500:
        assert response.status_code == 503
        assert response.json()["type"] == "urn:fairway:not-yet"
        assert response.headers["retry-after"]


def asks_for(scene, schema):
    """Put ids of both importers among the generated ones."""
    names = ("batch_id", "filing_id", "decision_id", "scheme", "value")
    known = {
        name: sorted({ids[name] for ids in (scene.a, scene.b) if name in ids}) for name in names
    }

    @schema.hook
    def flatmap_path_parameters(context, path_parameters):
        given = path_parameters or {}
        return st.fixed_dictionaries(
            {name: st.sampled_from([value, *known.get(name, ())]) for name, value in given.items()}
        )

    @schema.hook
    def flatmap_query(context, query):
        given = query or {}
        if "/trader/v1/" not in context.operation.path:
            return st.just(query)
        for_whom = st.sampled_from(["", scene.a["trader_id"], scene.b["trader_id"]])
        return st.one_of(st.just(query), for_whom.map(lambda one: {**given, "on_behalf_of": one}))


def run(schema):
    found, statuses, heard, modes = [], Counter(), [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            recorder = event.recorder
            modes |= {
                (recorder.label, case.value.meta.generation.mode)
                for case in recorder.cases.values()
            }
            for one in recorder.interactions.values():
                if one.response is not None:
                    statuses[recorder.label, one.response.status_code] += 1
                    body = one.response.content or b""
                    heard.append((one.request, one.response.headers, body))
            found += [
                f"{recorder.label}: {check.name}: {check.failure_info.failure}"
                f" {check.failure_info.code_sample}"
                for checks in recorder.checks.values()
                for check in checks
                if check.failure_info
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(f"{getattr(event, 'label', event)}: {getattr(event, 'info', '')}")
    return found, statuses, heard, modes


def takes(operation):
    """Whether a call of it has parts that can be wrong; addresses are filled by `asks_for`."""
    return bool(operation.query or operation.body)


@pytest.mark.parametrize("api", PREFIXES)
@pytest.mark.parametrize("role", ROLES)
def test_the_machine_finds_nothing(api, role, site, scene, address, callers):
    statuses, heard, modes = Counter(), [], set()
    # The ids among the examples are new each time, so ten of them may all be good ones by chance.
    for seed in SEEDS:
        config = SchemathesisConfig.from_dict(
            {**CONFIG, "seed": seed, "headers": dict(callers[role]), "base-url": address}
        )
        schema = schemathesis.openapi.from_dict(description(site, PREFIXES[api]), config=config)
        asks_for(scene, schema)
        found, *more = run(schema)
        assert found == []
        statuses, heard, modes = statuses + more[0], heard + more[1], modes | more[2]
        operations = [one.ok() for one in schema.get_all_operations()]
        # Each is asked for what it promises and, where anything can be wrong, for the rest.
        wanted = {(one.label, GenerationMode.POSITIVE) for one in operations}
        wanted |= {(one.label, GenerationMode.NEGATIVE) for one in operations if takes(one)}
        if modes >= wanted:
            break
    assert len({label for label, _ in statuses}) == len(operations)
    assert modes >= wanted
    if role not in OWN[api]:
        assert {status for _, status in statuses} <= {400, 401, 403, 404, 405, 406, 415}
    else:
        assert any(status < 300 for _, status in statuses)
    if role in OWN[api] and api == "trader":
        # Any bytes are a file, so with the header that the description asks for some are taken.
        assert statuses["POST /trader/v1/batches", 202], statuses
    if role in ("b program", "nobody"):
        # A number that our own advice gives as its example is nobody's secret.
        strange = [CANARY, *(scene.a[name] for name in ("trader_id", "batch_id", "filing_id"))]
        for request, headers, body in heard:
            said = f"{dict(headers)}".encode() + body
            asked = f"{request.uri} {request.headers}".encode() + (request.body or b"")
            for one in strange:
                assert one.encode() not in said or one.encode() in asked


def test_no_two_models_of_the_apis_share_a_name():
    """They stand in one document before it is parted, where the later would take the first's place."""
    named = [
        {
            name
            for name, one in vars(module).items()
            if isinstance(one, type) and one.__module__ == module.__name__
        }
        for module in (internal, traders)
    ]
    assert all(named)
    # The two that all others are made from stand in no document.
    assert named[0] & named[1] == {"Given", "Taken"}

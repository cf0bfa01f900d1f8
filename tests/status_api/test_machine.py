"""A machine tries the API out by its own description: right data, wrong data, borders."""

import threading

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.factories.register import make_partner

IOR = "12-345678900"
EXAMPLES = 20
STATUS = "GET /api/v1/partners/{scheme}/{value}/status"
CONFIG = {
    "seed": 2026,
    "generation": {"mode": "all", "max-examples": EXAMPLES, "database": "none"},
    "phases": {"stateful": {"enabled": False}, "examples": {"enabled": False}},
    # 503 is an answer that the contract promises; `only_promised` looks at it.
    "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", 503]}},
    "operations": [
        {
            # Check digits and numbers that were never issued cannot be told in a schema, so a
            # well-formed value stands still here; what is malformed has tests of its own.
            "include-name": STATUS,
            "parameters": {"path.scheme": "ior", "path.value": IOR},
        }
    ],
}


class Silent(WSGIRequestHandler):
    """Says nothing about each request."""

    def log(self, type, message, *args):  # noqa: A002 - the library's own name.
        pass


@pytest.fixture
def address(app):
    """The application behind a real port: the machine's in-process way breaks on Werkzeug 3.1."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@schemathesis.check
def only_promised(context, response, case):
    """Every refusal is a problem; 503 is the one that the contract names, with a time to wait."""
    if not case.operation.path.startswith("/api/v1/"):
        return
    if response.status_code >= 400:
        assert response.headers["content-type"][0] == "application/problem+json"
    if response.status_code >= 500:
        assert response.status_code == 503
        assert response.json()["type"] == "urn:fairway:not-yet"
        assert response.headers["retry-after"]


def test_the_machine_finds_nothing(address, program, work_as):
    make_partner(work_as, f"ior:{IOR}", tier=3)
    schema = schemathesis.openapi.from_url(
        f"{address}/api/v1/openapi.json",
        config=SchemathesisConfig.from_dict(
            {**CONFIG, "headers": {"Authorization": f"Bearer {program.token}"}}
        ),
    )
    found, tried = [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            recorder = event.recorder
            tried |= {
                (recorder.label, case.value.meta.generation.mode)
                for case in recorder.cases.values()
            }
            found += [
                f"{recorder.label}: {check.name}: {check.failure_info.failure}"
                f" {check.failure_info.code_sample}"
                for checks in recorder.checks.values()
                for check in checks
                if check.failure_info
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(getattr(event, "info", event)))
    assert found == []
    assert len(tried) == 12, tried

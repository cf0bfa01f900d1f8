"""The applications that `benchmarks/status.py` compares, each as a factory for the server."""

import gc
import json
import os
from pathlib import Path

from flask import Flask, jsonify, request, session
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.handover import handed_over
from app.cli.wsgi import build, map_folder
from app.db.session import Principal, Role
from app.kernel.clock import SystemClock
from app.kernel.identifiers import Scheme, parse
from app.register.models import RegisterEntry
from app.status_api.answering import from_map
from app.status_api.register_map import MapReader
from app.traders.models import TraderIdentifier
from app.traders.sealing import equip
from app.web.headers import security_headers

PRINCIPAL = Principal("system:bench")
BODY = Path(os.environ.get("BENCH_BODY", "/dev/null"))


def noop():
    """The server's own cost: an answer of the same length, and nothing else."""
    body = BODY.read_bytes()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def app(_environ, start_response):
        start_response("200 OK", headers)
        return [body]

    return app


def noop_headers():
    """The same with the security headers that every answer of ours has."""
    body = BODY.read_bytes()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    headers += security_headers(page=False, secure=False)

    def app(_environ, start_response):
        start_response("200 OK", headers)
        return [body]

    return app


def usual_bulk():
    """Many look-ups as Flask has them: `get_json`, a dictionary of everything, `jsonify`."""
    whole, known = json.loads(BODY.read_bytes()), {}
    for i in range(int(os.environ["BENCH_PARTNERS"])):
        value = f"{10 + i % 89:02d}-{i:07d}00"
        known[value] = whole | {"identifier": {"scheme": "ior", "value": value}}
    gc.freeze()
    app = Flask(__name__)

    @app.get("/api/v1/partners/<scheme>/<value>/status")
    def status(scheme, value):
        del scheme
        return jsonify(known[value])

    @app.post("/api/v1/statuses")
    def statuses():
        asked = request.get_json()["identifiers"]
        return jsonify(statuses=[known[one["value"]] for one in asked])

    return app


def fairway():
    """What `fairway serve` gives a worker."""
    return build()


def unrecorded():
    """The same without the record of who asked about whom."""
    app = build()
    app.lane._recorder.put_quickly = lambda _line, _caller: None  # noqa: SLF001 - what is measured.
    return app


def usual_view():
    """A Flask view as an ordinary portal has it: 200 routes, hooks, a session, JSON of a dict."""
    settings = handed_over().settings
    reader, clock = MapReader(map_folder(settings)), SystemClock()
    app = Flask(__name__)
    app.secret_key = settings.secret_key
    for number in range(200):
        app.add_url_rule(f"/other/{number}/<int:one>", f"other{number}", lambda one: str(one))  # noqa: PLW0108
    for _ in range(3):
        app.before_request(lambda: None)
    for _ in range(2):
        app.after_request(lambda response: response)
    app.teardown_request(lambda _error: None)

    @app.get("/api/v1/partners/<scheme>/<value>/status")
    def status(scheme, value):
        session.get("person")
        found = from_map(reader, parse(Scheme[scheme.upper()], value), now=clock.now())
        return jsonify(answer=found.answer, partner_id=found.partner_id, seq=found.seq)

    return app


def usual_orm():
    """Flask, the ORM and PostgreSQL: one query for each look-up, no token, no record."""
    handed = handed_over()
    engine = handed.engine([Role.ENTRY])
    equip(handed.settings.secret_key)
    app = Flask(__name__)

    @app.get("/api/v1/partners/<scheme>/<value>/status")
    def status(scheme, value):
        with Session(engine, info={"read_only": True}) as db:
            db.info["principal"] = PRINCIPAL
            found = db.execute(
                select(TraderIdentifier, RegisterEntry)
                .join(RegisterEntry, RegisterEntry.trader_id == TraderIdentifier.trader_id)
                .where(TraderIdentifier.scheme == Scheme(scheme))
                .where(TraderIdentifier.lookup_key == value)
            ).all()
            return jsonify(
                [
                    {"partner": str(one.trader_id), "status": entry.status, "tier": entry.tier}
                    for one, entry in found
                ]
            )

    return app

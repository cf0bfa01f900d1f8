"""A trader with a verified importer number, the people at it, and a program with its token."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

import app.tasks  # noqa: F401 - makes the worker know its tasks.
from app.advance_data.models import Batch, Filing, FilingFault
from app.authz.actor import TraderRole, system_actor
from app.identity.service import create_client
from app.kernel.identifiers import Scheme
from app.traders.models import Trader
from tests.advance_data.abi.messages import FILER
from tests.factories import traders as trader_factory
from tests.factories.identity import make_person

SCOPES = ("filings:write", "filings:read", "status:self")
NUMBER = "12-345678900"


@dataclass
class Scene:
    """One trader, by its id, with its officer."""

    trader_id: Any
    officer: Any
    work_as: Any

    def all(self, model, *order):
        """Every row of a table, in order."""
        with self.work_as(system_actor("test")) as work:
            return list(work.session.scalars(select(model).order_by(*order)))

    def batches(self):
        return self.all(Batch, Batch.received_at, Batch.reference)

    def filings(self):
        return self.all(Filing, Filing.filing_ref, Filing.number)

    def faults(self):
        return self.all(FilingFault, FilingFault.batch_id, FilingFault.position)

    def trader(self, work):
        return work.session.get_one(Trader, self.trader_id)


@pytest.fixture
def scene_of(app, work_as):
    """A committed trader; its importer number and filer code are verified unless they are None."""

    def make(
        number: str | None = NUMBER,
        name: str = "Harbour Lane Imports LLC",
        filer: str | None = None,
    ) -> Scene:
        with work_as(system_actor("test")) as work:
            officer = make_person(work)
            trader = trader_factory.make_trader(work, officer, name=name)
            if number is not None:
                trader_factory.add_identifier(work, trader, value=number, verified=True)
            if filer is not None:
                trader_factory.add_identifier(work, trader, Scheme.FILER, filer, verified=True)
            return Scene(trader.id, officer, work_as)

    return make


@pytest.fixture
def scene(scene_of):
    return scene_of(filer=FILER)


@pytest.fixture
def person_at(work_as):
    """A person with a role at the scene's trader."""

    def make(scene: Scene, role: TraderRole):
        with work_as(system_actor("test")) as work:
            person = make_person(work, name=f"Vic {role.value}")
            trader_factory.appoint_person(work, scene.trader(work), scene.officer, person, role)
            return person

    return make


@dataclass
class Program:
    """A program that talks to the traders' API with a token of its own."""

    client: Any
    token: str

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.token}", **more}

    def get(self, path, **headers):
        return self.client.get(f"/trader/v1{path}", headers=self.headers(**headers))

    def file(self, body, key="key-1", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            "/trader/v1/filings",
            data=data,
            headers=self.headers(
                **{"Content-Type": "application/json", "Idempotency-Key": key, **headers}
            ),
        )

    def send(self, data, key="key-1", query="", **headers):
        return self.client.post(
            f"/trader/v1/batches{query}",
            data=data,
            headers=self.headers(**{"Content-Type": "text/csv", "Idempotency-Key": key, **headers}),
        )


@pytest.fixture
def program_of(app, work_as):
    """A program of a scene's trader, with its token from the token endpoint."""

    def make(scene: Scene, *scopes: str) -> Program:
        with work_as(system_actor("test")) as work:
            row, secret = create_client(
                work, name="ERP of the trader", scopes=scopes or SCOPES, trader_id=scene.trader_id
            )
            client_id = row.client_id
        client = app.test_client()
        found = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret)
        )
        assert found.status_code == 200, found.text
        return Program(client, found.get_json()["access_token"])

    return make

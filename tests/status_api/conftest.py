"""Programs with tokens, and an importer that release systems ask about."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.authz.actor import system_actor
from app.identity.service import create_client

SCOPES = ("status:read", "feed:read", "decisions:write", "decisions:read")


@dataclass
class Program:
    """A program that talks to the internal API with a token of its own."""

    client: FlaskClient
    token: str
    client_id: str = ""
    secret: str = ""

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers(**headers))

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
        return self.client.post(f"/api/v1{path}", data=data, headers=self.headers(**headers))


@pytest.fixture
def program_with(app, work_as):
    """A program with some scopes, its token from the token endpoint."""

    def make(*scopes: str) -> Program:
        with work_as(system_actor("test")) as work:
            row, secret = create_client(work, name="Release system", scopes=scopes)
            client_id = row.client_id
        client = app.test_client()
        found = client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret)
        )
        assert found.status_code == 200, found.text
        return Program(client, found.get_json()["access_token"], client_id, secret)

    return make


@pytest.fixture
def program(program_with) -> Program:
    return program_with(*SCOPES)

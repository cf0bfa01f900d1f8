"""A real, independent provider for each side, an application that trusts them, and a person."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey

from app import create_app
from app.config import Settings
from scripts.provider import ensure_provider, node
from tests.identity.conftest import TOKEN

AAL = "http://idmanagement.gov/ns/assurance/aal"
STRONG = {"trader": f"{AAL}/2", "agency": f"{AAL}/2?phishing_resistant=true"}
SITE = "http://localhost:8000"


@dataclass
class Op:
    """The providers, as a test can steer them."""

    issuers: dict[str, str]
    process: subprocess.Popen

    def control(self, side: str, **order: object) -> None:
        answer = requests.post(f"{self.issuers[side]}/control", json=order, timeout=10)
        assert answer.ok, answer.text

    def misbehave(self, side: str, **mischief: object) -> None:
        self.control(side, mischief=mischief)


@pytest.fixture(scope="session")
def oidc_keys(tmp_path_factory):
    """Fairway's private keys at the two providers, of different kinds, as files."""
    folder = tmp_path_factory.mktemp("oidc-keys")
    keys = {
        "trader": RSAKey.generate_key(2048, auto_kid=True),
        "agency": ECKey.generate_key("P-256", auto_kid=True),
    }
    for side, key in keys.items():
        path = folder / f"{side}.json"
        path.write_text(json.dumps(key.as_dict(private=True)))
        path.chmod(0o600)
    return folder, keys


@pytest.fixture(scope="session")
def _op(oidc_keys) -> Iterator[Op]:
    _, keys = oidc_keys
    program = ensure_provider()
    told = {
        side: {
            "alg": "RS256" if side == "trader" else "ES256",
            # The one puts the address into the ID token, the other tells it on request.
            "bare": side == "trader",
            "registration": {
                "client_id": f"fairway-{side}",
                "redirect_uris": [f"{SITE}/sign-in/with/{side}/callback"],
                "post_logout_redirect_uris": [f"{SITE}/sign-in"],
                "jwks": {"keys": [{**key.as_dict(private=False), "use": "sig"}]},
            },
        }
        for side, key in keys.items()
    }
    with subprocess.Popen(
        [node(), program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.stderr.read().decode())
        yield Op(json.loads(line), process)
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture
def op(_op: Op) -> Iterator[Op]:
    """Providers that behave, until the test says otherwise."""
    yield _op
    for side in _op.issuers:
        _op.misbehave(side)


@pytest.fixture(scope="session")
def oidc_app(_engine, settings, _clock, _op, oidc_keys):
    folder, _ = oidc_keys
    told = {
        f"oidc_{side}_{part}": value
        for side, issuer in _op.issuers.items()
        for part, value in {
            "issuer": issuer,
            "client_id": f"fairway-{side}",
            "key": str(folder / f"{side}.json"),
        }.items()
    }
    app = create_app(
        "all",
        settings=Settings(**{**settings.model_dump(exclude={"host", "port"}), **told}),
        engine=_engine,
        clock=_clock,
    )
    app.testing = True
    app.config["LIMITS_ON"] = False
    return app


@pytest.fixture
def client(oidc_app, engine, clock, op) -> FlaskClient:
    """A browser; the clock stands at the real hour, because the providers have their own."""
    clock.at = datetime.now(UTC)  # noqa: TID251
    return oidc_app.test_client()


@dataclass
class Traveller:
    """A browser at Fairway together with the same browser at the providers."""

    fairway: FlaskClient
    op: Op
    jars: dict[str, requests.Session] = field(default_factory=dict)

    def away(self, side: str, path: str | None = None) -> str:
        """Begin at Fairway; the address at the provider that the browser is sent to."""
        answer = self.fairway.get(path or f"/sign-in/with/{side}?next=/security")
        assert answer.status_code == 303, answer.status
        return answer.location

    def at_provider(self, side: str, address: str, **form: str) -> str:
        """Sign in at the provider by its form; the path that leads back to Fairway."""
        jar = self.jars.setdefault(side, requests.Session())
        answer = jar.get(address, allow_redirects=False, timeout=10)
        for _ in range(8):
            target = answer.headers.get("Location", "")
            if target.startswith(SITE):
                parts = urlsplit(target)
                return f"{parts.path}?{parts.query}"
            assert answer.status_code in (302, 303), f"{answer.status_code} {answer.text}"
            target = requests.compat.urljoin(self.op.issuers[side], target)
            if "/interaction/" in target:
                asked = jar.get(target, timeout=10).json()["prompt"]["name"]
                assert asked == "login"
                answer = jar.post(target, data=form, allow_redirects=False, timeout=10)
            else:
                answer = jar.get(target, allow_redirects=False, timeout=10)
        raise AssertionError("the provider sends in circles")

    def go(self, side: str, login: str = "ada", acr: str | None = None, path=None, **form: str):
        """The whole way: away, sign in there, and back; Fairway's answer to the callback."""
        self.jars.clear()
        form = form or {"login": login, "acr": acr or STRONG[side]}
        return self.fairway.get(self.at_provider(side, self.away(side, path), **form))

    def first(self, side: str, login: str, name: str = "Ada Brook"):
        """The whole way of somebody who comes for the first time."""
        answer = self.go(side, login)
        assert answer.location == f"/sign-in/with/{side}/first", answer.location
        return self.send(answer.location, name=name)

    def send(self, path: str, **fields: str):
        found = TOKEN.search(self.fairway.get(path).text)
        assert found, path
        return self.fairway.post(path, data={"csrf_token": found[1], **fields})

    def why(self, answer) -> str:
        """The words of the calm page that a refusal leads to."""
        assert answer.status_code == 303, answer.status
        assert answer.location.endswith("/stopped"), answer.location
        page = self.fairway.get(answer.location)
        assert page.status_code == 200
        return page.text


@pytest.fixture
def traveller(client, op) -> Traveller:
    return Traveller(client, op)


@pytest.fixture
def second(oidc_app, client, op) -> Traveller:
    """Another browser of the same application."""
    return Traveller(oidc_app.test_client(), op)

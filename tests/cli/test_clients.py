"""The commands about programs: what they print, what they refuse, and that a secret shows once."""

import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from joserfc.jwk import OKPKey

from app.authz.actor import system_actor
from app.cli import people
from app.cli.people import client
from app.cli.runtime import RefusedError, Runtime
from app.identity.models import ApiClient
from app.kernel.errors import ConflictError, NotReadyError
from app.work import move
from tests.factories.programs import ask

SCOPES = ("--scope", "status:read", "--scope", "feed:read")


@pytest.fixture
def run(engine, settings, app_url, monkeypatch):
    """`run(*arguments)`: the command on this test's database; gives what it printed."""

    @contextmanager
    def here():
        yield Runtime(settings, app_url, None, engine)

    monkeypatch.setattr(people, "runtime", here)

    def do(*arguments):
        result = CliRunner().invoke(client, [*arguments])
        if result.exception:
            raise result.exception
        return result.output

    return do


def created(output):
    """Id and secret, from the two lines that the contract promises."""
    first, second = output.splitlines()
    assert (first.split()[0], second.split()[0]) == ("client_id", "client_secret")
    return first.split()[1], second.split(maxsplit=1)[1]


def status(app, client_id, secret):
    row = ApiClient(client_id=client_id)
    return ask(app.test_client(), row, secret).status_code


def test_a_created_client_works_until_it_is_revoked(run, app):
    client_id, secret = created(run("create", "Release system", *SCOPES))
    assert status(app, client_id, secret) == 200
    assert run("revoke", client_id) == "Revoked.\n"
    assert status(app, client_id, secret) == 401
    with pytest.raises(ConflictError):
        run("revoke", client_id)


def test_a_client_with_a_key_has_no_secret(run, tmp_path):
    file = tmp_path / "key.json"
    file.write_text(json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=False)))
    assert created(run("create", "Signer", *SCOPES, "--jwk", str(file)))[1].startswith("(none")
    file.write_text(json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)))
    with pytest.raises(NotReadyError):
        run("create", "Signer", *SCOPES, "--jwk", str(file))


def test_a_quota_is_set_and_taken_back(run, app):
    client_id, secret = created(run("create", "Release system", *SCOPES))
    run("quota", client_id, "--per-minute", "1")
    # The command runs by the machine's clock and the application by the test's, which stands.
    assert [status(app, client_id, secret) for _ in range(2)] == [200, 429]
    run("quota", client_id)
    assert status(app, client_id, secret) == 200
    with pytest.raises(NotReadyError):
        run("quota", client_id, "--per-day", "0")


def test_a_suspended_client_can_be_woken(run, app, work_as):
    client_id, secret = created(run("create", "Release system", *SCOPES))
    with work_as(system_actor("test")) as work:
        move(work, work.session.query(ApiClient).one(), "suspend")
    assert status(app, client_id, secret) == 401
    assert run("wake", client_id) == "Awake.\n"
    assert status(app, client_id, secret) == 200


@pytest.mark.parametrize("command", ["revoke", "quota", "wake"])
def test_an_unknown_client_is_named(run, command):
    with pytest.raises(RefusedError, match="fw-nobody"):
        run(command, "fw-nobody")

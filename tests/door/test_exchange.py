"""Exchanges on real sockets: a resolver that changes its mind, peers that drip, flood and point away."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.door.exchange import ask
from app.door.line import dial, trust
from app.door.mailing import Postman
from app.door.places import DoorError, Place, RefusedError
from app.door.sessions import sessions_through

OTHER = "127.0.0.2"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def peer(behave, host="127.0.0.1", port=0, tls=None):
    """A server on a real socket; `behave(connection)` for each that connects. Yields port and count."""
    server = socket.create_server((host, port))
    met = []

    def serve():
        while True:
            try:
                raw, _ = server.accept()
            except OSError:
                return
            met.append(raw.getsockname()[0])
            try:
                with raw if tls is None else tls.wrap_socket(raw, server_side=True) as connection:
                    behave(connection)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], met
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
        assert not thread.is_alive()


def heard(connection):
    request = b""
    while b"\r\n\r\n" not in request and (piece := connection.recv(4096)):
        request += piece
    return request


def says(answer):
    def behave(connection):
        heard(connection)
        connection.sendall(answer)

    return behave


def here(port, **options):
    return Place("test", (f"localhost:{port}", f"127.0.0.1:{port}"), plain=True, **options)


def test_a_name_is_resolved_once_and_the_connection_goes_exactly_there():
    """Rebinding: the second answer of this resolver would lead inside, and nobody asks for it."""
    answers = [[OTHER], ["127.0.0.1"]]
    asked = []

    def turncoat(name):
        asked.append(name)
        return answers[min(len(asked), len(answers)) - 1]

    with (
        peer(says(FINE), host=OTHER) as (port, outside),
        peer(says(FINE), port=port) as (_, inside),
    ):
        place = Place(
            "test", (f"hooks.example:{port}",), networks=(ip_network("127.0.0.2/32"),), seconds=5
        )
        with dial(place, "hooks.example", port, resolve=turncoat) as line:
            assert line.getpeername() == (OTHER, port)
            # Its answer shows that it has noted the connection.
            line.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert line.recv_into(bytearray(1)) == 1
        # Now it leads inside, and the next time the name is asked for that is what is judged.
        with pytest.raises(RefusedError):
            dial(place, "hooks.example", port, resolve=turncoat)
    assert (asked, outside, inside) == (["hooks.example"] * 2, [OTHER], [])


def test_a_whole_exchange_resolves_once():
    asked = []

    def turncoat(name):
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with peer(says(FINE)) as (port, met):
        reply = ask(here(port), f"http://localhost:{port}/", resolve=turncoat)
    assert (reply.status, reply.body, asked, len(met)) == (200, b"ok", ["localhost"], 1)


def test_a_redirect_is_an_answer_and_is_not_followed():
    with peer(says(FINE)) as (secret, met):
        answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{secret}/\r\n\r\n".encode()
        with peer(says(answer)) as (port, _):
            place = replace(here(port), any_port=True)
            reply = ask(place, f"http://localhost:{port}/")
            session = sessions_through(place)()
            found = session.get(f"http://localhost:{port}/", withhold_token=True)
    assert (reply.status, found.status_code, met) == (302, 302, [])
    session.close()


@pytest.mark.parametrize("part", ["head", "body", "handshake", "silence", "hundreds"])
def test_one_end_for_the_whole_exchange_whatever_drips(part, certificate):
    over = threading.Event()

    def drip(connection):
        if part == "handshake":
            over.wait(20)
            return
        heard(connection)
        if part == "silence":
            over.wait(20)
            return
        connection.sendall(FINE.replace(b": 2", b": 99999") if part == "body" else b"HTTP/1.1 ")
        while not over.wait(0.1):
            connection.sendall(b"1" if part != "hundreds" else b"100 Continue\r\n\r\nHTTP/1.1 ")

    with peer(drip) as (port, _):
        begun = time.monotonic()
        scheme = "https" if part == "handshake" else "http"
        with pytest.raises(DoorError):
            ask(here(port, seconds=1), f"{scheme}://localhost:{port}/", tls=certificate[1])
        took = time.monotonic() - begun
        over.set()
    assert took < 4


def test_a_resolver_that_hangs_does_not_hold_the_caller():
    over = threading.Event()

    def hang(_):
        over.wait(20)
        return ["127.0.0.1"]

    begun = time.monotonic()
    with pytest.raises(DoorError):
        ask(here(1, seconds=1), "http://localhost:1/", resolve=hang)
    assert time.monotonic() - begun < 4
    over.set()


def test_what_is_too_long_is_not_read():
    sent = [0]

    def flood(connection):
        heard(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)
            sent[0] += 65_536

    with peer(flood) as (port, _):
        reply = ask(here(port, most=1000), f"http://localhost:{port}/")
        with pytest.raises(requests.ConnectionError, match="too long"):
            sessions_through(here(port, most=1000))().get(
                f"http://localhost:{port}/", withhold_token=True
            )
    assert (reply.status, reply.whole, len(reply.body)) == (200, False, 1000)
    assert sent[0] < 50_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\0" * 100, b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200,
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)  # fmt: skip
def test_nonsense_is_no_answer(answer):
    with peer(says(answer)) as (port, _), pytest.raises(DoorError):
        ask(here(port, seconds=5), f"http://localhost:{port}/")


def test_no_environment_sends_it_elsewhere(monkeypatch):
    with peer(says(FINE)) as (port, met), peer(says(FINE)) as (proxy, detour):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        address = f"http://localhost:{port}/"
        assert ask(here(port), address).status == 200
        assert sessions_through(here(port))().get(address, withhold_token=True).text == "ok"
    assert (len(met), detour) == (2, [])


def test_a_peer_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(DoorError):
        ask(here(port), f"http://localhost:{port}/")
    with pytest.raises(DoorError):
        ask(Place("t", ("*",)), "https://x.example/", resolve=lambda _: [])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of `localhost` alone: the server's context, and one that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    make_certificate(key, cert, "localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=str(cert))
    return server, client


def make_certificate(key, cert, name):
    private = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # noqa: TID251 - a certificate of today.
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def test_the_certificate_must_be_of_the_host_that_was_asked_for(certificate):
    server, client = certificate
    with peer(says(FINE), tls=server) as (port, _):
        place = Place(
            "test",
            (f"localhost:{port}", f"hooks.example:{port}"),
            networks=(ip_network("127.0.0.0/8"),),
            seconds=5,
        )
        there = {"resolve": lambda _: ["127.0.0.1"], "tls": client}
        assert ask(place, f"https://localhost:{port}/", **there).status == 200
        with pytest.raises(DoorError, match="SSLCertVerification"):
            ask(place, f"https://hooks.example:{port}/", **there)
        # Nor is a certificate believed that nobody trusts.
        with pytest.raises(DoorError, match="SSLCertVerification"):
            ask(place, f"https://localhost:{port}/", resolve=there["resolve"])
    assert trust().verify_mode is ssl.CERT_REQUIRED
    assert trust().check_hostname


def test_mail_that_is_to_be_secured_is_not_sent_in_the_clear(certificate):
    """STARTTLS runs on the door's line too, and its certificate is checked."""
    server, _ = certificate

    def talk(connection):
        connection.sendall(b"220 x\r\n")
        connection.recv(999)
        connection.sendall(b"250-x\r\n250 STARTTLS\r\n")
        connection.recv(999)
        connection.sendall(b"220 go\r\n")
        server.wrap_socket(connection, server_side=True)

    with peer(talk) as (port, _), pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        Postman(Place("mail", (), inside=True, seconds=5), f"smtp+starttls://localhost:{port}")


def test_a_mail_server_that_drips_does_not_hold_a_worker():
    over = threading.Event()

    def drip(connection):
        while not over.wait(0.1):
            connection.sendall(b"2")

    with peer(drip) as (port, _):
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"timed out|long"):
            Postman(Place("mail", (), inside=True, seconds=1), f"smtp://localhost:{port}")
        over.set()
    assert time.monotonic() - begun < 4


def test_the_announcement_loads_nothing_but_the_standard_library():
    """It runs beside a server that forks, and is to be there before that server is."""
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import app.door.announcing"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    for name in ("requests", "flask", "sqlalchemy", "pydantic", "authlib", "click"):
        assert f" {name}\n" not in said

"""Fairway behind the very nginx configuration that is shipped, over real sockets and real TLS."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.kernel.clock import SystemClock
from scripts.machine import find_program
from tests.journeys.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "docs" / "deployment"
NAME = "fairway.example"
CONSOLE = f"console.{NAME}"
STARTS_WITHIN = 120
FORGED = "203.0.113.77"


def make_certificate(folder):
    """A certificate of our own for the host's name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = SystemClock().now()  # The handshake looks at the machine's own clock.
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in (NAME, CONSOLE)]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def replaced(text, places):
    """The text with each place of the shipped file replaced; each must be there."""
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, str(new))
    return text


@pytest.fixture(scope="module")
def fairway(tmp_path_factory):
    """The portal as an operator starts it, on loopback and without demo; its port."""
    home = tmp_path_factory.mktemp("behind-nginx")
    for folder in (home, *home.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):  # noqa: S108
            folder.chmod(0o755)  # The database server's account must be able to pass through.
    port = free_port()
    names = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
    own = {
        "FAIRWAY_HOME": str(home / "var"),
        "FAIRWAY_DEMO": "0",
        "FAIRWAY_SURFACE": "portal",
        "FAIRWAY_PUBLIC_URL": f"https://{NAME}",
        "FAIRWAY_TRUSTED_PROXIES": "1",
        "PORT": str(port),
    }
    log = home / "serve.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--workers", "1"],
            cwd=ROOT,
            env={**names, **own},
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def wait_for(port, process, log):
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def listener():
    """In the place of the console: whatever nginx passes on to it can be read as it came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


@pytest.fixture(scope="module")
def nginx(fairway, listener, tmp_path_factory):
    """The shipped configuration with this test's ports and paths; the ports of http and https."""
    folder = tmp_path_factory.mktemp("nginx")
    make_certificate(folder)
    plain, secure = free_port(), free_port()
    shutil.copy(SHIPPED / "fairway_proxy.conf", folder)
    places = {
        "127.0.0.1:8000;": f"127.0.0.1:{fairway};",
        "127.0.0.1:8001;": f"127.0.0.1:{listener.getsockname()[1]};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "/etc/fairway/": f"{folder}/",
        "/etc/nginx/": f"{folder}/",
    }
    (folder / "fairway.conf").write_text(replaced((SHIPPED / "nginx.conf").read_text(), places))
    for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        (folder / name).mkdir()
    spools = "\n".join(
        f"{name}_temp_path {folder}/{path};"
        for name, path in (
            ("client_body", "body"),
            *((one, one) for one in ("proxy", "fastcgi", "uwsgi", "scgi")),
        )
    )
    (folder / "main.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; {spools}\n include {folder}/fairway.conf; }}\n"
    )
    program = find_program("nginx")
    assert program, "nginx is missing; `make test` installs it."
    command = [program, "-e", f"{folder}/error.log", "-c", f"{folder}/main.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(secure, process, folder / "error.log")
        yield plain, secure, folder
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def said(connection, request):
    """Everything that the other side answers to these bytes until it closes or falls silent."""
    connection.settimeout(3)
    connection.sendall(request)
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except (TimeoutError, ConnectionError):
        pass
    return found.decode("latin-1")


def over_tls(nginx, request, *, name=NAME):
    _, secure, folder = nginx
    context = ssl.create_default_context(cafile=folder / "fullchain.pem")
    with (
        socket.create_connection(("127.0.0.1", secure), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        return said(connection, request)


def get(path, *lines, host=NAME):
    head = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def test_a_page_comes_over_tls_with_cookies_bound_to_the_host(nginx):
    answer = over_tls(nginx, get("/sign-in"))
    assert answer.startswith("HTTP/1.1 200")
    assert re.search(r"(?i)^set-cookie: __Host-[^\r]*; Secure", answer, re.MULTILINE)
    assert re.search(r"(?i)^strict-transport-security: max-age=63072000", answer, re.MULTILINE)
    assert "nginx/" not in answer


def test_plain_http_only_leads_to_our_own_name(nginx):
    with socket.create_connection(("127.0.0.1", nginx[0]), timeout=10) as connection:
        answer = said(connection, get("/traders/new", host="evil.example"))
    assert answer.startswith("HTTP/1.1 308")
    assert f"Location: https://{NAME}/traders/new\r\n" in answer


@pytest.mark.parametrize("name", ["other.example", None])
def test_who_asks_for_another_name_gets_no_handshake(nginx, name):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", nginx[1]), timeout=10) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname=name)


def test_a_host_that_differs_from_the_handshake_is_misdirected(nginx):
    assert over_tls(nginx, get("/sign-in", host=CONSOLE)).startswith("HTTP/1.1 421")


VERSIONS = [
    (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_3, True),
    (ssl.TLSVersion.TLSv1_1, False),
    (ssl.TLSVersion.TLSv1, False),
]


@pytest.mark.parametrize(("version", "taken"), VERSIONS, ids=str)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_protocols_get_no_handshake(nginx, version, taken):
    _, secure, folder = nginx
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "fullchain.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", secure), timeout=10) as plain:
        if not taken:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain, server_hostname=NAME)
            return
        with context.wrap_socket(plain, server_hostname=NAME) as connection:
            cipher, _, _ = connection.cipher()
    assert re.search("GCM|CHACHA20", cipher)


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_weak_ciphers_get_no_handshake(nginx, cipher):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(nginx[2] / "fullchain.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", nginx[1]), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname=NAME)


FORGED_LINES = (
    f"X-Forwarded-For: {FORGED}",
    f"Forwarded: for={FORGED}",
    f"X-Real-IP: {FORGED}",
    f"X-Forwarded-Host: {FORGED}",
    f"X-Forwarded-Proto: gopher-{FORGED}",
    f"Proxy: {FORGED}",
    f"X_Forwarded_For: {FORGED}",
)


def test_nobody_says_for_themselves_where_they_come_from(nginx, listener):
    """Of what a client sends under a proxy's names, nothing reaches Fairway."""
    _, secure, folder = nginx
    context = ssl.create_default_context(cafile=folder / "fullchain.pem")
    with (
        socket.create_connection(("127.0.0.1", secure), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=CONSOLE) as client,
    ):
        client.sendall(get("/console/", *FORGED_LINES, host=CONSOLE))
        accepted, _ = listener.accept()
        with accepted:
            passed_on = accepted.recv(65_536).decode()
            accepted.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    assert passed_on.startswith("GET /console/ HTTP/1.1\r\n")
    assert FORGED not in passed_on
    assert "X-Forwarded-For: 127.0.0.1\r\n" in passed_on
    assert "X-Forwarded-Proto: https\r\n" in passed_on
    assert f"Host: {CONSOLE}\r\n" in passed_on


SECOND = "GET /second HTTP/1.1\r\nHost: fairway.example\r\n\r\n"
FORM = "POST /sign-in HTTP/1.1\r\nHost: fairway.example\r\n"
SMUGGLED = {
    "a length and chunks": f"{FORM}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}",
    "two lengths": f"{FORM}Content-Length: 0\r\nContent-Length: {len(SECOND)}\r\n\r\n{SECOND}",
    "a list of lengths": f"{FORM}Content-Length: 0, {len(SECOND)}\r\n\r\n{SECOND}",
    "a signed length": f"{FORM}Content-Length: +0\r\n\r\n{SECOND}",
    "a negative length": f"{FORM}Content-Length: -1\r\n\r\n{SECOND}",
    "a length in hexadecimal": f"{FORM}Content-Length: 0x0\r\n\r\n{SECOND}",
    "chunks by another name": f"{FORM}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SECOND}",
    "chunks and identity": f"{FORM}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n{SECOND}",
    "chunks twice": f"{FORM}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}",
    "a blank before the colon": f"{FORM}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SECOND}",
    "a folded header": f"{FORM}X-One: a\r\n Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{SECOND}",
    "a chunk size that overflows": f"{FORM}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{SECOND}",
    "two hosts": "GET /sign-in HTTP/1.1\r\nHost: fairway.example\r\nHost: evil.example\r\n\r\n",
    "a NUL in a header": "GET /sign-in HTTP/1.1\r\nHost: fairway.example\r\nX-One: a\x00b\r\n\r\n",
    "no host": "GET /sign-in HTTP/1.1\r\n\r\n",
}


def statuses_of(answer):
    """Of each answer in turn; one begins right where the body of the one before ends."""
    return re.findall(r"HTTP/1\.[01] (\d{3}) ", answer)


def test_two_plain_requests_are_two(nginx, fairway):
    """What the next tests rest on: a second request that is heard is seen by its answer."""
    two = (SECOND * 2).encode()
    assert statuses_of(over_tls(nginx, two)) == ["404", "404"]
    with socket.create_connection(("127.0.0.1", fairway), timeout=10) as connection:
        assert len(statuses_of(said(connection, two))) == 2


@pytest.mark.parametrize("case", SMUGGLED)
def test_a_request_whose_end_can_be_read_in_two_ways_is_refused(nginx, case):
    answer = over_tls(nginx, SMUGGLED[case].encode("latin-1"))
    statuses = statuses_of(answer)
    assert statuses in (["400"], ["501"], ["413"]), statuses


LAWFUL = {"chunks and identity", "chunks twice"}
"""Whose last coding is chunked ends by its chunks (RFC 9112 §6.3): the server reads it so."""


@pytest.mark.parametrize("case", sorted(set(SMUGGLED) - LAWFUL))
def test_the_server_itself_refuses_it_too(fairway, case):
    """Without a proxy in front, no second request is heard within the first."""
    with socket.create_connection(("127.0.0.1", fairway), timeout=10) as connection:
        answer = said(connection, SMUGGLED[case].encode("latin-1"))
    assert statuses_of(answer) in ([], ["400"]), answer

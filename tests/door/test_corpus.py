"""Hostile addresses: what a stranger may write, and what a name may resolve to. Nothing gets through."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from app.door.addresses import is_public
from app.door.exchange import ask
from app.door.line import dial
from app.door.places import Place, RefusedError, target
from app.door.purposes import MAIL, SCANNER, sign_in, webhooks, witness

ANYBODY = Place("webhooks", ("*", "*.example.gov"))

# As written into a form. Every one is refused although each public name is allowed.
WRITTEN = (Path(__file__).with_name("written.txt")).read_text("utf-8").splitlines()
CONTROLS = [f"https://hooks.example.gov/{char}x" for char in "\0\t\n\r\v\f\x1b\x7f\x85\u2028"] + [
    "https://hooks.example.gov/\r\nHost: x",
    "\nhttps://hooks.example.gov/",
    " https://hooks.example.gov/",
    "https://hooks.example.gov/\n",
    "https://hooks.example.gov\t/",
    "https://hooks.example.gov/" + "a" * 2000,
    "https://" + ("a" * 63 + ".") * 4 + "gov/",
    "https://" + "a" * 64 + ".gov/",
    "",
]

# As a resolver may answer for an innocent name.
RESOLVED = (Path(__file__).with_name("resolved.txt")).read_text("utf-8").split()


def test_the_corpus_is_large():
    assert len(WRITTEN) + len(CONTROLS) + len(RESOLVED) >= 200
    assert len(set(WRITTEN)) == len(WRITTEN)


@pytest.mark.parametrize("address", WRITTEN + CONTROLS)
def test_a_written_address_is_refused_before_anything_is_resolved(address):
    asked = []
    with pytest.raises(RefusedError):
        ask(ANYBODY, address, resolve=lambda name: asked.append(name) or ["93.184.215.14"])
    assert not asked


@pytest.mark.parametrize("number", RESOLVED)
def test_a_name_that_resolves_inside_is_refused(number):
    for answer in ([number], ["93.184.215.14", number], [number, "93.184.215.14"]):
        with pytest.raises(RefusedError):
            dial(ANYBODY, "hooks.example.gov", 443, resolve=lambda _, told=answer: told)


@pytest.mark.parametrize(
    "number",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "2001:4860:4860::8888",
        "2620:fe::fe",
    ],
)
def test_public_addresses_are_public(number):
    assert is_public(ip_address(number))


@pytest.mark.parametrize(
    ("address", "host", "port", "path", "authority"),
    [
        ("https://hooks.example.gov", "hooks.example.gov", 443, "/", "hooks.example.gov"),
        ("https://hooks.example.gov?a=b", "hooks.example.gov", 443, "/?a=b", "hooks.example.gov"),
        ("https://a.b.example.gov:443/x/%20", "a.b.example.gov", 443, "/x/%20", "a.b.example.gov"),
        (
            "https://xn--mnchen-3ya.example/",
            "xn--mnchen-3ya.example",
            443,
            "/",
            "xn--mnchen-3ya.example",
        ),
        ("https://7up.example/", "7up.example", 443, "/", "7up.example"),
    ],
)
def test_a_good_address_is_read(address, host, port, path, authority):
    found = target(ANYBODY, address)
    assert (found.host, found.port, found.path, found.authority) == (host, port, path, authority)
    assert found.tls


def test_only_the_listed_hosts_are_reached():
    place = Place("webhooks", ("hooks.example.gov", "*.agency.example", "odd.example:8443"))
    for good in ("hooks.example.gov", "a.agency.example", "a.b.agency.example", "odd.example:8443"):
        target(place, f"https://{good}/")
    for bad in (
        "agency.example",
        "evilagency.example",
        "agency.example.evil.example",
        "xhooks.example.gov",
        "hooks.example.gov.evil.example",
        "odd.example",
        "hooks.example.gov:8443",
        "example.gov",
    ):
        with pytest.raises(RefusedError):
            target(place, f"https://{bad}/")


def test_nothing_is_listed_at_first(settings):
    place = webhooks(settings.model_copy(update={"demo": False}))
    for address in ("https://example.com/", "https://localhost/", "http://127.0.0.1:9000/"):
        with pytest.raises(RefusedError):
            target(place, address)


def test_the_operator_may_open_a_network_of_its_own(settings):
    told = {
        "demo": False,
        "webhook_hosts": "hooks.inside.example",
        "webhook_networks": "10.20.0.0/16",
    }
    place = webhooks(settings.model_copy(update=told))
    assert place.admits(ip_address("10.20.3.4"))
    assert not place.admits(ip_address("10.21.0.1"))
    assert not place.admits(ip_address("127.0.0.1"))


def test_the_demonstration_reaches_this_machine_and_no_other_in_the_clear(settings):
    place = webhooks(settings.model_copy(update={"demo": True}))
    assert target(place, "http://127.0.0.1:9000/hook").port == 9000
    assert target(place, "http://localhost:9000/hook").port == 9000
    for bad in ("http://10.0.0.1:9000/", "http://example.com/", "http://[::ffff:127.0.0.1]/"):
        with pytest.raises(RefusedError):
            target(place, bad)
    with pytest.raises(RefusedError):
        dial(place, "localhost", 9000, resolve=lambda _: ["10.0.0.1"])


@pytest.mark.parametrize(
    "number",
    [
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "0.1.2.3",
        "224.0.0.1",
        "::",
        "240.0.0.1",
        "64:ff9b::1",
    ],
)
def test_not_even_the_operators_own_parts_are_a_clouds_metadata(number):
    for place in (
        MAIL,
        SCANNER,
        sign_in("https://login.example", ()),
        witness("https://w.example"),
    ):
        with pytest.raises(RefusedError):
            dial(place, "mail.example", 25, resolve=lambda _: [number])
        with pytest.raises(RefusedError):
            dial(place, number, 25)


def test_a_provider_is_reached_at_its_own_host_alone():
    place = sign_in("https://login.example:8443/tenant", ("keys.example",))
    target(place, "https://login.example:8443/token")
    target(place, "https://keys.example/jwks")
    for bad in (
        "https://login.example/token",
        "https://other.example/jwks",
        "http://login.example:8443/token",
        "https://10.0.0.1/",
    ):
        with pytest.raises(RefusedError):
            target(place, bad)


def test_no_network_is_public_in_part():
    """At both ends of each special network, and never just outside of ours by a wrong prefix."""
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "2002::/16"):
        network = ip_network(text)
        assert not is_public(network[0])
        assert not is_public(network[-1])

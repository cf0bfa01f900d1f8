"""Pure decisions about profiles and invitations."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.kernel.identifiers import Scheme
from app.traders import rules
from app.traders.kinds import BondKind, EntityType, Position
from app.traders.rules import InvitationFacts, InvitationStage, ProfileFacts
from tests.factories.traders import bond_details, company, contact_details

TODAY = date(2026, 11, 24)
COMPLETE = ProfileFacts(
    entity_type=EntityType.IMPORTER,
    country="US",
    address_line="2400 Harbor Lane",
    city="San Pedro",
    office_country="US",
    schemes={Scheme.IOR},
    bonds=[bond_details()],
    sites=1,
    primary_contacts=1,
)


def gaps(facts):
    return [(gap.field, gap.code) for gap in rules.profile_gaps(facts, TODAY)]


def test_a_complete_importer_has_no_gap():
    assert gaps(COMPLETE) == []


def test_an_empty_profile_lists_every_gap_in_the_order_of_the_tasks():
    empty = ProfileFacts(
        entity_type=EntityType.IMPORTER,
        country="",
        address_line="",
        city="",
        office_country=None,
        schemes=(),
        bonds=(),
        sites=0,
        primary_contacts=0,
    )
    assert gaps(empty) == [
        ("company", "ADDRESS_MISSING"),
        ("company", "OFFICE_MISSING"),
        ("identifiers", "IDENTIFIER_MISSING"),
        ("identifiers", "BOND_MISSING"),
        ("contacts", "CONTACT_MISSING"),
        ("sites", "SITE_MISSING"),
    ]


@pytest.mark.parametrize(
    ("kind", "schemes", "enough"),
    [
        (EntityType.IMPORTER, {Scheme.LEI}, False),
        (EntityType.IMPORTER, {Scheme.IOR}, True),
        (EntityType.BROKER, {Scheme.EIN}, False),
        (EntityType.BROKER, {Scheme.FILER}, True),
        (EntityType.BROKER, {Scheme.LICENCE}, True),
        (EntityType.TERMINAL_OPERATOR, {Scheme.DUNS}, True),
        (EntityType.TERMINAL_OPERATOR, set(), False),
    ],
)
def test_each_kind_needs_its_own_identifier(kind, schemes, enough):
    facts = replace(COMPLETE, entity_type=kind, schemes=schemes)
    assert (("identifiers", "IDENTIFIER_MISSING") not in gaps(facts)) is enough


@pytest.mark.parametrize(
    ("bond", "enough"),
    [
        (bond_details(), True),
        (bond_details(kind=BondKind.SINGLE), False),
        (bond_details(valid_from=TODAY + timedelta(days=1)), False),
        (bond_details(valid_from=TODAY), True),
        (bond_details(valid_until=TODAY), True),
        (bond_details(valid_until=TODAY - timedelta(days=1)), False),
    ],
)
def test_an_importer_needs_a_continuous_bond_in_force(bond, enough):
    assert (gaps(replace(COMPLETE, bonds=[bond])) == []) is enough


def test_only_importers_need_a_bond():
    broker = replace(COMPLETE, entity_type=EntityType.BROKER, schemes={Scheme.FILER}, bonds=())
    assert gaps(broker) == []


@pytest.mark.parametrize(
    ("kind", "office", "enough"),
    [
        (EntityType.IMPORTER, "CA", True),
        (EntityType.IMPORTER, None, False),
        (EntityType.BROKER, "CA", False),
        (EntityType.BROKER, "US", True),
        (EntityType.MANUFACTURER, None, True),
    ],
)
def test_where_the_office_must_be(kind, office, enough):
    facts = replace(COMPLETE, entity_type=kind, office_country=office)
    assert (("company", "OFFICE_MISSING") not in gaps(facts)) is enough


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"region": "", "postal_code": "9073"}, ["region", "postal_code"]),
        ({"country": "CA", "region": "BC", "postal_code": "V6C 3L6"}, []),
        ({"country": "CA", "region": "", "postal_code": "90731"}, ["region", "postal_code"]),
        ({"country": "VN", "region": "", "postal_code": ""}, []),
        ({"country": "XX"}, ["country"]),
        ({"office_country": "MX"}, ["office_country"]),
    ],
)
def test_addresses(changes, fields):
    assert [p.field for p in rules.company_problems(company(**changes))] == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"email": "nobody"}, ["email"]),
        ({"email": "a@b"}, ["email"]),
        ({"email": "a@b.example, c@d.example"}, ["email"]),
        ({"phone": "call me"}, ["phone"]),
        ({"phone": "+1 (310) 555-0123 ext 12"}, []),
        ({"position": Position.ADVISER}, ["is_primary"]),
        ({"position": Position.ADVISER, "is_primary": False}, []),
    ],
)
def test_contacts(changes, fields):
    details = replace(contact_details(), **changes)
    assert [p.field for p in rules.contact_problems(details)] == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"amount": 0}, ["amount"]),
        ({"activity_code": "importer"}, ["activity_code"]),
        ({"activity_code": "3A"}, []),
        ({"valid_until": date(2023, 12, 31)}, ["valid_until"]),
    ],
)
def test_bonds(changes, fields):
    assert [p.field for p in rules.bond_problems(bond_details(**changes))] == fields


def test_an_invitation_lapses_at_the_very_instant_of_its_end():
    end = datetime(2026, 12, 8, 12, 0, tzinfo=UTC)
    assert not rules.invitation_lapsed(end, end - timedelta(microseconds=1))
    assert rules.invitation_lapsed(end, end)


OPEN = InvitationFacts(
    invited=True,
    lapsed=False,
    accepted_by_visitor=False,
    invited_email="ada@example.com",
    visitor_email="ada@example.com",
    visitor_signed_in=True,
    visitor_at_agency=False,
)


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, InvitationStage.ACCEPT),
        ({"visitor_signed_in": False, "visitor_email": ""}, InvitationStage.SIGN_IN),
        ({"visitor_email": "bob@example.com"}, InvitationStage.OTHER_ADDRESS),
        ({"visitor_email": "bob@example.com", "lapsed": True}, InvitationStage.OTHER_ADDRESS),
        ({"lapsed": True}, InvitationStage.CLOSED),
        ({"invited": False}, InvitationStage.CLOSED),
        ({"invited": False, "accepted_by_visitor": True}, InvitationStage.ACCEPTED),
        ({"visitor_at_agency": True}, InvitationStage.AGENCY),
    ],
)
def test_what_a_visitor_can_do_with_an_invitation(changes, stage):
    assert rules.invitation_stage(replace(OPEN, **changes)) is stage


def test_every_kind_of_trader_has_schemes_and_its_key_schemes_are_among_them():
    for kind in EntityType:
        assert rules.SCHEMES[kind]
        assert rules.KEY_SCHEMES.get(kind, frozenset()) <= set(rules.SCHEMES[kind])

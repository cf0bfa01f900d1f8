"""Pure decisions about a profile: which identifiers fit, what is missing, what is malformed."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.authz.actor import TraderRole
from app.kernel.codes import country_problem
from app.kernel.errors import Problem
from app.kernel.identifiers import Scheme
from app.traders.details import BondDetails, CompanyDetails, ContactDetails, SiteDetails
from app.traders.kinds import BondKind, EntityType, Position

INVITATION_LASTS: Final = timedelta(days=14)
INVITATIONS_A_DAY: Final = 20

SCHEMES: Final[Mapping[EntityType, tuple[Scheme, ...]]] = {
    EntityType.IMPORTER: (
        *(Scheme.IOR, Scheme.EIN, Scheme.CBP, Scheme.LEI, Scheme.DUNS, Scheme.GLN, Scheme.EORI),
        # Of those that file for themselves.
        Scheme.FILER,
    ),
    EntityType.BROKER: (
        *(Scheme.LICENCE, Scheme.FILER, Scheme.EIN, Scheme.LEI, Scheme.DUNS, Scheme.GLN),
    ),
    EntityType.CARRIER: (
        *(Scheme.SCAC, Scheme.EIN, Scheme.LEI, Scheme.DUNS, Scheme.EORI, Scheme.FILER),
    ),
    EntityType.CONSOLIDATOR: (
        *(Scheme.SCAC, Scheme.FILER, Scheme.EIN, Scheme.LEI, Scheme.DUNS, Scheme.GLN, Scheme.EORI),
    ),
    EntityType.MANUFACTURER: (*(Scheme.MID, Scheme.LEI, Scheme.DUNS, Scheme.GLN, Scheme.EORI),),
    EntityType.EXPORTER: (
        *(Scheme.EIN, Scheme.CBP, Scheme.LEI, Scheme.DUNS, Scheme.GLN, Scheme.EORI),
    ),
    EntityType.THIRD_PARTY_LOGISTICS: (
        *(Scheme.EIN, Scheme.SCAC, Scheme.FILER, Scheme.LEI, Scheme.DUNS, Scheme.GLN),
    ),
    EntityType.TERMINAL_OPERATOR: (Scheme.EIN, Scheme.LEI, Scheme.DUNS, Scheme.GLN),
}
"""The schemes that name each kind of trader, the most telling first."""

KEY_SCHEMES: Final[Mapping[EntityType, frozenset[Scheme]]] = {
    EntityType.IMPORTER: frozenset({Scheme.IOR}),
    EntityType.BROKER: frozenset({Scheme.LICENCE, Scheme.FILER}),
    EntityType.CARRIER: frozenset({Scheme.SCAC}),
    EntityType.MANUFACTURER: frozenset({Scheme.MID}),
}
"""Of which an application needs at least one; kinds that are not listed need any identifier.

Importers: an active importer of record number. Brokers: licence number or filer code. Both from
the programme's published eligibility; carriers and manufacturers are known to the targeting
system by these codes.
"""

NEEDS_BOND: Final = frozenset({EntityType.IMPORTER})
OFFICE_COUNTRIES: Final[Mapping[EntityType, frozenset[str]]] = {
    EntityType.IMPORTER: frozenset({"US", "CA"}),
    EntityType.BROKER: frozenset({"US"}),
}
"""Where the staffed office must be; kinds that are not listed may work from anywhere."""

ROLE_NAMES: Final[Mapping[TraderRole, str]] = {
    TraderRole.OFFICER: "Officer",
    TraderRole.PREPARER: "Preparer",
    TraderRole.CONSULTANT: "Consultant, outside adviser",
    TraderRole.VIEWER: "Viewer",
    TraderRole.DATA_ONLY: "Advance data only",
}
ROLE_MEANINGS: Final[Mapping[TraderRole, str]] = {
    TraderRole.OFFICER: "may sign, declare and submit, and appoint people",
    TraderRole.PREPARER: "may fill in and upload, but not sign or submit",
    TraderRole.CONSULTANT: (
        "does not belong to the company; may fill in applications and answer the agency, but not"
        " file, sign, declare or change the company's profile"
    ),
    TraderRole.VIEWER: "may look at everything and change nothing",
    TraderRole.DATA_ONLY: "may file advance data and see what was filed, and nothing else",
}

_ZIP: Final = re.compile(r"[0-9]{5}(?:-[0-9]{4})?")
_CANADIAN: Final = re.compile(r"[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"\+?[0-9][0-9 ().\-/]{4,30}(?:(?:x|ext\.?) ?[0-9]{1,6})?", re.IGNORECASE
)
_ACTIVITY: Final = re.compile(r"[0-9]{1,2}[A-Z]?", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+")
_LONGEST_EMAIL: Final = 254


class Place(Protocol):
    """Anything with a postal address."""

    @property
    def country(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def postal_code(self) -> str: ...


def place_problems(place: Place) -> list[Problem]:
    """What is wrong with an address. US and Canadian ones need a state or province and a code."""
    problems = []
    if country_problem(place.country) is not None:
        problems.append(Problem("Choose a country from the list.", "country"))
    if place.country == "US":
        if not place.region:
            problems.append(Problem("Give the state.", "region"))
        if not _ZIP.fullmatch(place.postal_code):
            problems.append(
                Problem("Give the ZIP code: 5 digits, for example 90731.", "postal_code")
            )
    if place.country == "CA":
        if not place.region:
            problems.append(Problem("Give the province.", "region"))
        if not _CANADIAN.fullmatch(place.postal_code):
            problems.append(Problem("Give the postal code, for example V6C 3L6.", "postal_code"))
    return problems


def company_problems(details: CompanyDetails) -> list[Problem]:
    """What is wrong with a company's details."""
    problems = place_problems(details)
    if details.office_country not in {None, "US", "CA"}:
        problems.append(Problem("Choose one of the answers.", "office_country"))
    return problems


def site_problems(details: SiteDetails) -> list[Problem]:
    """What is wrong with a site."""
    return place_problems(details)


def email_is_plausible(text: str) -> bool:
    """Whether a mail could be sent there; only a mail that arrives proves that it can."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def contact_problems(details: ContactDetails) -> list[Problem]:
    """What is wrong with a contact.

    The primary security contact is a company officer or an employee: an outside consultant
    cannot be it (the programme's rules for its portal).
    """
    problems = []
    if not email_is_plausible(details.email):
        problems.append(Problem("Give a mail address, for example name@example.com.", "email"))
    if not _PHONE.fullmatch(details.phone):
        problems.append(Problem("Give a telephone number, for example +1 310 555 0123.", "phone"))
    if details.is_primary and details.position is Position.ADVISER:
        problems.append(
            Problem(
                "The primary security contact must be a company officer or an employee. Choose"
                " another contact, or correct what this person is to the company.",
                "is_primary",
            )
        )
    return problems


def bond_problems(details: BondDetails) -> list[Problem]:
    """What is wrong with a bond (19 CFR part 113)."""
    problems = []
    if details.amount <= 0:
        problems.append(Problem("The amount must be more than zero.", "amount"))
    if not _ACTIVITY.fullmatch(details.activity_code):
        problems.append(
            Problem(
                "Give the activity code as it stands on the bond, for example 1 or 3A.",
                "activity_code",
            )
        )
    if details.valid_until is not None and details.valid_until < details.valid_from:
        problems.append(Problem("The last day cannot be before the first day.", "valid_until"))
    return problems


def invitation_lapsed(expires_at: datetime | None, now: datetime) -> bool:
    """Whether an invitation can no longer be accepted; its last instant is no longer part of it."""
    return expires_at is not None and now >= expires_at


class Bonded(Protocol):
    """A bond as far as its validity goes."""

    @property
    def kind(self) -> BondKind: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_until(self) -> date | None: ...


def in_force(bond: Bonded, on: date) -> bool:
    """Whether the bond binds on that day; its first and last days are both part of it."""
    return bond.valid_from <= on and (bond.valid_until is None or on <= bond.valid_until)


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What the profile of one trader holds, as far as an application asks for it.

    `schemes` are those of its identifiers that are claimed or verified.
    """

    entity_type: EntityType
    country: str
    address_line: str
    city: str
    office_country: str | None
    schemes: Collection[Scheme]
    bonds: Sequence[Bonded]
    sites: int
    primary_contacts: int


def profile_gaps(facts: ProfileFacts, on: date) -> list[Problem]:
    """What an application still needs from the profile, in the order of its tasks.

    `field` of each problem is the key of the task that closes it: `company`, `identifiers`,
    `contacts` or `sites`. Source: the programme's eligibility for importers and for brokers.
    """
    gaps = _company_gaps(facts)
    wanted = KEY_SCHEMES.get(facts.entity_type)
    if wanted is None:
        if not facts.schemes:
            gaps.append(
                Problem("Claim at least one identifier.", "identifiers", "IDENTIFIER_MISSING")
            )
    elif not wanted & set(facts.schemes):
        names = ", ".join(s.label for s in SCHEMES[facts.entity_type] if s in wanted)
        gaps.append(
            Problem(
                "Claim an identifier of the kind that the programme asks for: %(schemes)s.",
                "identifiers",
                "IDENTIFIER_MISSING",
                {"schemes": names},
            )
        )
    if facts.entity_type in NEEDS_BOND and not any(
        bond.kind is BondKind.CONTINUOUS and in_force(bond, on) for bond in facts.bonds
    ):
        gaps.append(
            Problem("Record a continuous bond that is in force.", "identifiers", "BOND_MISSING")
        )
    if not facts.primary_contacts:
        gaps.append(
            Problem(
                "Name the primary security contact: a company officer or an employee.",
                "contacts",
                "CONTACT_MISSING",
            )
        )
    if not facts.sites:
        gaps.append(Problem("Add at least one site.", "sites", "SITE_MISSING"))
    return gaps


def _company_gaps(facts: ProfileFacts) -> list[Problem]:
    gaps = []
    if not (facts.country and facts.address_line and facts.city):
        gaps.append(Problem("Give the company's address.", "company", "ADDRESS_MISSING"))
    allowed = OFFICE_COUNTRIES.get(facts.entity_type)
    if allowed is not None and facts.office_country not in allowed:
        message = (
            "The programme asks for a staffed office in the United States."
            if allowed == {"US"}
            else "The programme asks for a staffed office in the United States or Canada."
        )
        gaps.append(Problem(message, "company", "OFFICE_MISSING"))
    return gaps


class InvitationStage(StrEnum):
    """What a person who opens the link of an invitation can do."""

    SIGN_IN = "sign-in"
    ACCEPT = "accept"
    OTHER_ADDRESS = "other-address"
    AGENCY = "agency"
    ACCEPTED = "accepted"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """What decides about an invitation; the addresses are in small letters."""

    invited: bool
    lapsed: bool
    accepted_by_visitor: bool
    invited_email: str
    visitor_email: str
    visitor_signed_in: bool
    visitor_at_agency: bool


def invitation_stage(facts: InvitationFacts) -> InvitationStage:
    """What the visitor can do with the invitation.

    A stranger's sign-in comes before everything but the end of the invitation, and another
    address before the end, so that nobody but the invited person learns how it ended.
    """
    if facts.visitor_at_agency:
        return InvitationStage.AGENCY
    if facts.visitor_signed_in and facts.visitor_email != facts.invited_email:
        return InvitationStage.OTHER_ADDRESS
    if facts.accepted_by_visitor:
        return InvitationStage.ACCEPTED
    if not facts.invited or facts.lapsed:
        return InvitationStage.CLOSED
    return InvitationStage.ACCEPT if facts.visitor_signed_in else InvitationStage.SIGN_IN

"""What a form about the profile carries to the service: plain values, already stripped."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.traders.kinds import BondKind, Position, SiteKind


@dataclass(frozen=True, slots=True)
class CompanyDetails:
    """Name and head office. `country` and `office_country` are ISO 3166-1 alpha-2.

    `office_country` is where the staffed office is, `None` when there is none in the US or
    Canada. `imported_within_year` is `None` while it has not been told.
    """

    name: str
    country: str
    address_line: str
    city: str
    region: str = ""
    postal_code: str = ""
    office_country: str | None = None
    imported_within_year: bool | None = None


@dataclass(frozen=True, slots=True)
class SiteDetails:
    """One place of work."""

    name: str
    kind: SiteKind
    country: str
    address_line: str
    city: str
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """One person whom the agency can reach; `role` is their job title in the company's words."""

    name: str
    role: str
    position: Position
    email: str
    phone: str
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class BondDetails:
    """A customs bond; `amount` is in US dollars, `valid_until` is its last day, if it has one."""

    number: str
    surety: str
    kind: BondKind
    activity_code: str
    amount: Decimal
    valid_from: date
    valid_until: date | None = None

"""The forms about traders. They check shape only; the rules and the service decide the rest."""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pycountry
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectField,
    StringField,
    TelField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from app.authz.actor import TraderRole
from app.kernel.errors import Problem
from app.traders.details import BondDetails, CompanyDetails, ContactDetails, SiteDetails
from app.traders.kinds import BondKind, EntityType, Labelled, Position, SiteKind
from app.traders.rules import ROLE_MEANINGS, ROLE_NAMES
from app.web.days import Day
from app.web.errors import translate
from app.web.forms import Form
from app.web.once import OnceForm, VersionForm

NO_OFFICE = "none"
YES_NO = {"True": True, "False": False}
LONGEST = 200
AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
FIRST_COUNTRIES = ("US", "CA", "MX")


def needed(message: str) -> list[Any]:
    """Something must be given, of a length that fits; `message` says what."""
    return [InputRequired(message), Length(max=LONGEST, message=_l("Use 200 characters or fewer."))]


def short() -> list[Any]:
    """May be left empty; of a length that fits."""
    return [Optional(), Length(max=LONGEST, message=_l("Use 200 characters or fewer."))]


@cache
def country_names() -> tuple[tuple[str, str], ...]:
    """Codes and names of ISO 3166-1, the commonest first, then by name."""
    names = {one.alpha_2: getattr(one, "common_name", one.name) for one in pycountry.countries}
    rest = sorted((c for c in names if c not in FIRST_COUNTRIES), key=lambda c: names[c])
    return tuple((code, names[code]) for code in (*FIRST_COUNTRIES, *rest))


def country_name(code: str) -> str:
    """The English name of a country, or the code itself when there is none."""
    return dict(country_names()).get(code, code)


def countries() -> list[SelectChoice]:
    """The choices of a country field."""
    listed = (SelectChoice(code, name) for code, name in country_names())
    return [SelectChoice("", _l("Choose a country")), *listed]


def choices(kind: type[Labelled]) -> list[SelectChoice]:
    """The members of an enum as choices."""
    return [SelectChoice(one.value, _l(one.label)) for one in kind]


# WTForms keeps the order in which fields are written down here: errors are listed in it, so it is
# the order of the page.


class EntityTypeField:
    """What a trader is, asked once."""

    entity_type = RadioField(
        _l("What kind of company is it?"),
        choices=choices(EntityType),
        validators=[InputRequired(_l("Choose the kind of company."))],
    )


class CompanyNameField:
    """How a trader is called."""

    name = StringField(_l("Legal name of the company"), needed(_l("Give the company's name.")))


class SiteNameFields:
    """How a site is called and what it is."""

    name = StringField(_l("Name of the site"), needed(_l("Give the site a name.")))
    kind = RadioField(
        _l("What happens there?"),
        choices=choices(SiteKind),
        validators=[InputRequired(_l("Choose what happens there."))],
    )


class AddressFields:
    """A postal address."""

    country = SelectField(
        _l("Country"), choices=countries, validators=[InputRequired(_l("Choose the country."))]
    )
    address_line = StringField(_l("Street address"), needed(_l("Give the street address.")))
    city = StringField(_l("City"), needed(_l("Give the city.")))
    region = StringField(_l("State, province or region"), short())
    postal_code = StringField(_l("Postal code"), short())


class CompanyFields(CompanyNameField, AddressFields):
    """What a trader says about itself."""

    office_country = RadioField(
        _l("Where is the office in which your staff can be met?"),
        choices=[
            SelectChoice("US", _l("United States")),
            SelectChoice("CA", _l("Canada")),
            SelectChoice(NO_OFFICE, _l("Neither of the two")),
        ],
        validators=[InputRequired(_l("Say where the office is."))],
    )
    imported_within_year = RadioField(
        _l("Has the company done customs business in the last 12 months?"),
        choices=[SelectChoice("True", _l("Yes")), SelectChoice("False", _l("No"))],
        validators=[InputRequired(_l("Answer yes or no."))],
    )

    def details(self) -> CompanyDetails:
        """What the form holds, once it is valid."""
        office = self.office_country.data
        return CompanyDetails(
            name=self.name.data or "",
            country=self.country.data or "",
            address_line=self.address_line.data or "",
            city=self.city.data or "",
            region=self.region.data or "",
            postal_code=self.postal_code.data or "",
            office_country=None if office == NO_OFFICE else office,
            imported_within_year=YES_NO.get(self.imported_within_year.data or ""),
        )


class RegisterForm(EntityTypeField, CompanyFields, OnceForm):
    """Registering a new trader."""


class CompanyForm(CompanyFields, VersionForm):
    """Changing what a trader says about itself."""

    def present(self, row: Any, name: str) -> object:  # noqa: ANN401 - a trader.
        """An office that does not exist has a choice of its own."""
        value = super().present(row, name)
        return NO_OFFICE if name == "office_country" and value is None else value


class SiteFields(SiteNameFields, AddressFields):
    """A place of work."""

    def details(self) -> SiteDetails:
        """What the form holds, once it is valid."""
        return SiteDetails(
            name=self.name.data or "",
            kind=SiteKind.of(self.kind.data),
            country=self.country.data or "",
            address_line=self.address_line.data or "",
            city=self.city.data or "",
            region=self.region.data or "",
            postal_code=self.postal_code.data or "",
        )


class NewSiteForm(SiteFields, OnceForm):
    """Adding a site."""


class SiteForm(SiteFields, VersionForm):
    """Changing a site."""


class ContactFields:
    """Somebody whom the agency can reach."""

    name = StringField(_l("Name"), needed(_l("Give the person's name.")))
    role = StringField(_l("Job title"), needed(_l("Give the job title.")))
    position = RadioField(
        _l("What is this person to the company?"),
        choices=choices(Position),
        validators=[InputRequired(_l("Choose what the person is to the company."))],
    )
    email = EmailField(_l("Mail address"), needed(_l("Give a mail address.")))
    phone = TelField(_l("Telephone"), needed(_l("Give a telephone number.")))
    is_primary = BooleanField(_l("Primary security contact"))

    def details(self) -> ContactDetails:
        """What the form holds, once it is valid."""
        return ContactDetails(
            name=self.name.data or "",
            role=self.role.data or "",
            position=Position.of(self.position.data),
            email=self.email.data or "",
            phone=self.phone.data or "",
            is_primary=bool(self.is_primary.data),
        )


class NewContactForm(ContactFields, OnceForm):
    """Adding a contact."""


class ContactForm(ContactFields, VersionForm):
    """Changing a contact."""


class BondFields:
    """A customs bond."""

    kind = RadioField(
        _l("Kind of bond"),
        choices=choices(BondKind),
        validators=[InputRequired(_l("Choose the kind of bond."))],
    )
    number = StringField(_l("Bond number"), needed(_l("Give the bond number.")))
    surety = StringField(_l("Surety"), needed(_l("Give the surety's name.")))
    activity_code = StringField(_l("Activity code"), needed(_l("Give the activity code.")))
    amount = StringField(_l("Amount in US dollars"), needed(_l("Give the amount.")))
    valid_from = Day(_l("First day"), validators=[InputRequired(_l("Give the first day."))])
    valid_until = Day(_l("Last day"), validators=[Optional()])

    def validate_amount(self, field: StringField) -> None:
        """Dollars with or without a sign and thousands separators."""
        if not AMOUNT.fullmatch(_dollars(field.data)):
            raise ValidationError(gettext("Give an amount in dollars, for example 50,000."))

    def details(self) -> BondDetails:
        """What the form holds, once it is valid."""
        first = self.valid_from.data
        assert isinstance(first, date)  # noqa: S101 - tells the type checker what was validated.
        return BondDetails(
            number=self.number.data or "",
            surety=self.surety.data or "",
            kind=BondKind.of(self.kind.data),
            activity_code=(self.activity_code.data or "").upper(),
            amount=Decimal(_dollars(self.amount.data)),
            valid_from=first,
            valid_until=self.valid_until.data,
        )


def _dollars(text: str | None) -> str:
    return (text or "").replace("$", "").replace(",", "").replace(" ", "")


class NewBondForm(BondFields, OnceForm):
    """Recording a bond."""


class BondForm(BondFields, VersionForm):
    """Correcting a bond."""


class ClaimForm(OnceForm):
    """Claiming one identifier; its label and hint come from the scheme."""

    value = StringField(validators=needed(_l("Give the identifier.")))

    def show_as_one(self, problems: tuple[Problem, ...]) -> None:
        """Put what is wrong and how to mend it beside the field as one text."""
        words = [translate(problem.message, dict(problem.params)) for problem in problems]
        self.value.errors = [" ".join(words)]


def role_choices() -> list[SelectChoice]:
    """The three roles, each with what it may do."""
    return [
        SelectChoice(role.value, f"{gettext(ROLE_NAMES[role])}: {gettext(ROLE_MEANINGS[role])}")
        for role in TraderRole
    ]


class InviteForm(OnceForm):
    """Inviting somebody to a role."""

    email = EmailField(_l("Mail address"), needed(_l("Give a mail address.")))
    role = RadioField(
        _l("Role"), choices=role_choices, validators=[InputRequired(_l("Choose a role."))]
    )


class RoleForm(VersionForm):
    """Changing somebody's role."""

    role = RadioField(
        _l("Role"), choices=role_choices, validators=[InputRequired(_l("Choose a role."))]
    )


class ConfirmForm(Form):
    """A page that asks once more; it carries the form token and nothing else."""


class ConfirmVersionForm(VersionForm):
    """The same for a row that may have changed since the page was shown."""

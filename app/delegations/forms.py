"""The forms about delegations. They check shape only; the rules and the service decide the rest."""

from collections.abc import Iterable
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.authz.actor import DelegationScope
from app.delegations.rules import Terms
from app.delegations.wording import SCOPE_MEANINGS, SCOPE_NAMES
from app.documents.forms import HoldingForm
from app.identity.step_up import StepUpForm
from app.kernel.identifiers import Scheme
from app.traders.forms import needed
from app.traders.models import Site
from app.web.days import Day
from app.web.forms import Form
from app.web.once import OnceForm

BROKER_SCHEMES = (Scheme.FILER, Scheme.LICENCE)
CLIENT_SCHEMES = (Scheme.IOR, Scheme.EIN, Scheme.CBP, Scheme.LEI, Scheme.DUNS, Scheme.EORI)


def scope_choices() -> list[SelectChoice]:
    """The scopes, each with what it lets the broker do."""
    return [
        SelectChoice(scope.value, f"{SCOPE_NAMES[scope]}: {SCOPE_MEANINGS[scope]}")
        for scope in SCOPE_NAMES
    ]


def scheme_choices(*schemes: Scheme) -> list[SelectChoice]:
    """Kinds of identifier, each with how it is written."""
    return [SelectChoice(one.value, gettext(one.label)) for one in schemes]


class SeveralField(SelectMultipleField):
    """Boxes to tick, of which several may be ticked."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class TermsFields:
    """What the broker may do, and how long."""

    scopes = SeveralField(
        _l("What may the broker do?"),
        choices=scope_choices,
        validators=[InputRequired(_l("Choose at least one thing that the broker may do."))],
    )
    first_day = Day(_l("First day"), [InputRequired(_l("Give the first day."))])
    last_day = Day(_l("Last day"), [InputRequired(_l("Give the last day."))])

    def terms(self) -> Terms:
        """What was chosen; only after the form has been validated."""
        assert self.first_day.data and self.last_day.data  # noqa: S101, PT018 - InputRequired.
        return Terms(
            frozenset(DelegationScope(one) for one in self.scopes.data or ()),
            self.first_day.data,
            self.last_day.data,
            frozenset(UUID(one) for one in self.chosen_sites()),
        )

    def chosen_sites(self) -> list[str]:
        """The sites that were ticked; only an offer has any to tick."""
        return []


class FindForm(Form):
    """Which broker: one exact identifier. It is sent in the address and changes nothing."""

    class Meta(Form.Meta):
        """Reading needs no token."""

        csrf = False

    scheme = SelectField(
        _l("Kind of number"),
        choices=lambda: scheme_choices(*BROKER_SCHEMES),
        validators=[InputRequired(_l("Choose the kind of number."))],
    )
    number = StringField(_l("The broker's number"), needed(_l("Give the broker's number.")))


class OfferForm(TermsFields, HoldingForm, OnceForm, StepUpForm):
    """Offering a delegation to the broker that was found; its number came in the address."""

    sites = SeveralField(_l("Only for these sites"))

    scheme = HiddenField()
    number = HiddenField()
    file = FileField(
        _l("Signed authority document"),
        validators=[FileRequired(_l("Attach the signed authority document."))],
    )

    def with_sites(self, sites: Iterable[Site]) -> "OfferForm":
        """Give the company's sites to choose from; a company without any has nothing to limit."""
        self.sites.choices = [
            SelectChoice(
                str(one.id), gettext("“%(name)s” in %(city)s", name=one.name, city=one.city)
            )
            for one in sites
        ]
        if not self.sites.choices:
            del self.sites
        return self

    def chosen_sites(self) -> list[str]:
        """The sites that were ticked."""
        return list(self.sites.data or ()) if "sites" in self else []


class AskForm(OnceForm, StepUpForm):
    """Asking a client for a delegation."""

    scheme = SelectField(
        _l("Kind of number"),
        choices=lambda: scheme_choices(*CLIENT_SCHEMES),
        validators=[InputRequired(_l("Choose the kind of number."))],
    )
    number = StringField(_l("The client's number"), needed(_l("Give the client's number.")))
    scopes = TermsFields.scopes
    first_day = TermsFields.first_day
    last_day = TermsFields.last_day
    terms = TermsFields.terms
    chosen_sites = TermsFields.chosen_sites


class ConsentForm(StepUpForm):
    """Accepting what the other side proposed."""

    agreed = BooleanField(_l("I consent for the company."))

    def validate_agreed(self, field: BooleanField) -> None:
        """A consent is never assumed."""
        if not field.data:
            raise ValidationError(gettext("Tick the box to consent."))


class ConsentWithAuthorityForm(HoldingForm, ConsentForm):
    """The same when the authority document is still missing."""

    file = FileField(
        _l("Signed authority document"),
        validators=[FileRequired(_l("Attach the signed authority document."))],
    )


class EndForm(StepUpForm):
    """Ending it; the page that asks once more."""


class DeclineForm(Form):
    """Saying no; the page that asks once more."""

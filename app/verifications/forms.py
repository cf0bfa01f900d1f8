"""The forms about verifications. They check shape only; the rules and the service decide the rest."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from app.identity.step_up import StepUpForm
from app.kernel.identifiers import Scheme
from app.verifications.rules import MOST_NUMBER
from app.web.forms import Form
from app.web.once import OnceForm

SCHEMES = (Scheme.IOR, Scheme.EIN, Scheme.CBP, Scheme.LEI, Scheme.DUNS, Scheme.EORI, Scheme.FILER)


class AskForm(OnceForm):
    """Asking whoever holds a number."""

    scheme = SelectField(
        _l("Kind of number"),
        choices=lambda: [SelectChoice(one.value, gettext(one.label)) for one in SCHEMES],
        validators=[InputRequired(_l("Choose the kind of number."))],
    )
    number = StringField(
        _l("The company's number"),
        [
            InputRequired(_l("Give the company's number.")),
            Length(max=MOST_NUMBER, message=_l("Use 100 characters or fewer.")),
        ],
    )

    @property
    def kind(self) -> Scheme:
        """The kind that was chosen; only after the form has been validated."""
        return next(one for one in SCHEMES if one.value == self.scheme.data)


class GiveForm(StepUpForm):
    """Consenting; the page says to what."""


class ConfirmForm(Form):
    """Saying no, or ending it; the page that asks once more."""

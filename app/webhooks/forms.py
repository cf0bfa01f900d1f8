"""The forms about webhooks. They check shape only; the service decides the rest."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from app.identity.step_up import StepUpForm
from app.web.once import OnceForm
from app.webhooks.rules import ADDRESS_MAX, NAME_MAX

OVERLAPS = {
    "0": (timedelta(), _l("At once: the receiver refuses everything until it has the new key")),
    "1": (timedelta(days=1), _l("For one more day")),
    "7": (timedelta(days=7), _l("For seven more days")),
    "30": (timedelta(days=30), _l("For thirty more days")),
}


class RegisterForm(OnceForm, StepUpForm):
    """Registering an address."""

    name = StringField(
        _l("Name of the receiver"),
        [
            InputRequired(_l("Give the receiver a name.")),
            Length(max=NAME_MAX, message=_l("Use 100 characters or fewer.")),
        ],
    )
    address = StringField(
        _l("Address"),
        [
            InputRequired(_l("Give the address.")),
            Length(max=ADDRESS_MAX, message=_l("Use 500 characters or fewer.")),
        ],
    )


class RenewForm(OnceForm, StepUpForm):
    """Giving a webhook a new key."""

    overlap = RadioField(
        _l("How long do the earlier keys still sign?"),
        choices=[SelectChoice(key, words) for key, (_, words) in OVERLAPS.items()],
        default="7",
        validators=[InputRequired(_l("Choose how long."))],
    )


class ConfirmForm(StepUpForm):
    """A page that asks once more, and who is asking."""


class TestForm(OnceForm):
    """A button that sends a test, once."""

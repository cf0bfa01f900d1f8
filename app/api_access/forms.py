"""The forms about API clients. They check shape only; the service decides the rest."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.identity.client_rules import NAME_MAX
from app.identity.step_up import StepUpForm
from app.kernel.errors import Problem
from app.kernel.strict_json import StrictJsonError, strict_json
from app.web.once import OnceForm

SECRET, KEY = "secret", "key"
KEY_MAX = 5000
OVERLAPS = {
    "0": (timedelta(), _l("At once: the program is out until it has the new one")),
    "1": (timedelta(days=1), _l("For one more day")),
    "7": (timedelta(days=7), _l("For seven more days")),
    "30": (timedelta(days=30), _l("For thirty more days")),
}


class Several(SelectMultipleField):
    """A list of checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ProofFields:
    """By what the program proves itself: a secret that we make, or a key that it has."""

    proof = RadioField(
        _l("How does the program prove itself?"),
        choices=[
            SelectChoice(SECRET, _l("With a secret that Fairway makes and shows once")),
            SelectChoice(KEY, _l("With a key of its own: you give the public half")),
        ],
        default=SECRET,
        validators=[InputRequired(_l("Choose how the program proves itself."))],
    )
    jwk = TextAreaField(
        _l("Public key"),
        validators=[
            Optional(),
            Length(max=KEY_MAX, message=_l("Use 5,000 characters or fewer.")),
        ],
    )

    def validate_jwk(self, field: TextAreaField) -> None:
        """A JSON object; what kind of key it is, the service judges."""
        if self.proof.data != KEY:
            return
        try:
            found = strict_json((field.data or "").encode())
        except StrictJsonError as error:
            raise ValidationError(gettext("Paste one JSON Web Key.")) from error
        if not isinstance(found, dict):
            raise ValidationError(gettext("Paste one JSON Web Key."))

    @property
    def has_key(self) -> bool:
        """Whether a key was chosen and given; if chosen only, the field says what is missing."""
        if self.proof.data != KEY:
            return True
        if not self.jwk.data:
            self.jwk.errors = [gettext("Paste the public key, or choose a secret.")]
        return not self.jwk.errors

    @property
    def public_key(self) -> dict[str, Any] | None:
        """The key of a valid form; `None` for a secret."""
        if self.proof.data != KEY:
            return None
        found: dict[str, Any] = strict_json((self.jwk.data or "").encode())
        return found

    def forget_private(self, problems: Iterable[Problem]) -> None:
        """Do not send a private key back to the page it was pasted into by mistake."""
        if any(one.code == "jwk-private" for one in problems):
            self.jwk.data = ""


class ClientFields:
    """How a program is called and what it may do."""

    name = StringField(
        _l("Name of the program"),
        [
            InputRequired(_l("Give the program a name.")),
            Length(max=NAME_MAX, message=_l("Use 100 characters or fewer.")),
        ],
    )
    scopes = Several(
        _l("What may it do?"), validators=[InputRequired(_l("Choose at least one thing."))]
    )


class RegisterForm(ClientFields, ProofFields, OnceForm, StepUpForm):
    """Registering a program."""


class RotateForm(ProofFields, OnceForm, StepUpForm):
    """Giving a program a new secret or key."""

    overlap = RadioField(
        _l("How long do the earlier ones still work?"),
        choices=[SelectChoice(key, words) for key, (_, words) in OVERLAPS.items()],
        default="7",
        validators=[InputRequired(_l("Choose how long."))],
    )


class ConfirmForm(StepUpForm):
    """A page that asks once more, and who is asking."""


NUMBER = Regexp(r"[0-9]{1,10}\Z", message=_l("Write a whole number, or leave it empty."))


class QuotaForm(StepUpForm):
    """How many requests a program may send."""

    per_minute = StringField(_l("Requests in a minute"), [Optional(), NUMBER])
    per_day = StringField(_l("Requests in a day"), [Optional(), NUMBER])

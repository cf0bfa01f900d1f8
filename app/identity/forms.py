"""The forms of signing up, signing in and keeping one's access safe."""

import re

from flask_babel import gettext, lazy_gettext
from wtforms import Field, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from app.identity import rules
from app.web.errors import translate
from app.web.forms import Form

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\_]+\.[^\s@.<>,;:\"()]{2,}")
NAME_MAX = 120
EMAIL_MAX = 254


def looks_like_email(_form: Form, field: Field) -> None:
    """Shape only; whether the address exists, the letter tells."""
    if len(field.data) > EMAIL_MAX or not ADDRESS.fullmatch(field.data):
        raise ValidationError(
            gettext("Write an email address in full, like ada@example.com."),
        )


def email_field() -> StringField:
    """The address, with what a password manager needs to know."""
    return StringField(
        lazy_gettext("Email address"),
        validators=[DataRequired(lazy_gettext("Write your email address.")), looks_like_email],
        render_kw={
            "type": "email",
            "autocomplete": "username",
            "inputmode": "email",
            "spellcheck": "false",
            "autocapitalize": "none",
        },
    )


def name_field() -> StringField:
    """The person's name, as they write it."""
    return StringField(
        lazy_gettext("Your name"),
        validators=[
            DataRequired(lazy_gettext("Write your name.")),
            Length(max=NAME_MAX, message=lazy_gettext("Use at most %(max)d characters.")),
        ],
        render_kw={"autocomplete": "name"},
    )


def good_password(form: Form, field: Field) -> None:
    """The rules for a new password, so that every mistake of a form is told at once."""
    email = "" if "email" not in form else form["email"].data
    name = "" if "name" not in form else form["name"].data
    for problem in rules.password_problems(field.data, email=email, name=name):
        raise ValidationError(translate(problem.message, dict(problem.params)))


def password_field(label: str, *, new: bool = False) -> PasswordField:
    """A password: never stripped, since a space at its end is part of it."""
    required = DataRequired(lazy_gettext("Type a password."))
    return PasswordField(
        label,
        validators=[required, good_password] if new else [required],
        filters=[],
        render_kw={"autocomplete": "new-password" if new else "current-password"},
    )


class SignInForm(Form):
    """Address and password."""

    email = email_field()
    password = password_field(lazy_gettext("Password"))


class SignUpForm(Form):
    """Who wants to come in."""

    name = name_field()
    email = email_field()
    password = password_field(lazy_gettext("Choose a password"), new=True)


class VerifyForm(Form):
    """The password of the sign-up, to prove that link and sign-up belong together."""

    password = password_field(lazy_gettext("The password you chose"))


class AskResetForm(Form):
    """Where to send the letter."""

    email = email_field()


class NewPasswordForm(Form):
    """A new password by a link."""

    password = password_field(lazy_gettext("New password"), new=True)


class ChangePasswordForm(Form):
    """A new password by the present one."""

    present = password_field(lazy_gettext("Your present password"))
    password = password_field(lazy_gettext("New password"), new=True)


class JoinForm(Form):
    """A new person at the agency."""

    name = name_field()
    password = password_field(lazy_gettext("Choose a password"), new=True)


class JoinKnownForm(Form):
    """Somebody who has access already takes on a role."""

    password = password_field(lazy_gettext("Your password"))


def code_field(label: str) -> StringField:
    """A code of an authenticator app; spaces in it do not matter."""
    return StringField(
        label,
        validators=[
            DataRequired(lazy_gettext("Type the code.")),
            Length(max=40, message=lazy_gettext("Use at most %(max)d characters.")),
        ],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"},
    )


class CodeForm(Form):
    """The six digits that the app shows now."""

    code = code_field(lazy_gettext("Code from your authenticator app"))


class RecoveryCodeForm(Form):
    """One of the ten codes on paper."""

    recovery_code = StringField(
        lazy_gettext("Recovery code"),
        validators=[
            DataRequired(lazy_gettext("Type the code.")),
            Length(max=40, message=lazy_gettext("Use at most %(max)d characters.")),
        ],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )


class PasskeyForm(Form):
    """What the browser's script puts in: the answer of the authenticator, as JSON."""

    credential = HiddenField(filters=[])


class NewPasskeyForm(PasskeyForm):
    """A passkey and what its owner calls it."""

    name = StringField(
        lazy_gettext("Name of this passkey"),
        validators=[
            DataRequired(lazy_gettext("Write a name.")),
            Length(max=60, message=lazy_gettext("Use at most %(max)d characters.")),
        ],
    )


class PlainForm(Form):
    """A button and its form token."""

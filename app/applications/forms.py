"""The forms of applications. They check shape only; the rules and the service decide the rest."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length

from app.applications.eligibility import Eligibility, YesNo
from app.identity.step_up import StepUpForm
from app.web.forms import Form
from app.web.once import OnceForm

LONGEST_REPLY = 4000


class EligibilityForm(OnceForm):
    """The eligibility questions of one programme; made by `eligibility_form`."""

    @property
    def answers(self) -> dict[str, str]:
        """What was chosen, by question id."""
        return {field.name: field.data or "" for field in self if isinstance(field, RadioField)}


def eligibility_form(eligibility: Eligibility, known: Mapping[str, YesNo]) -> EligibilityForm:
    """A form with one yes-or-no field per question, filled with what the profile tells."""
    fields = {
        one.id: RadioField(
            one.text,
            choices=[SelectChoice("yes", _l("Yes")), SelectChoice("no", _l("No"))],
            default=known.get(one.id),
            validators=[InputRequired(_l("Answer yes or no."))],
        )
        for one in eligibility.questions
    }
    made = type("EligibilityQuestionsForm", (EligibilityForm,), fields)()
    assert isinstance(made, EligibilityForm)  # noqa: S101 - tells the type checker what type() made.
    return made


class StartForm(Form):
    """Starting an application; it carries the form token and nothing else."""


class NameFields:
    """A signature: the signer's own name, typed."""

    name = StringField(
        _l("Your full name"), [Length(max=200, message=_l("Use 200 characters or fewer."))]
    )


class AgreementForm(NameFields, StepUpForm):
    """Signing the partner agreement; `version` is that of the text on the page."""

    version = HiddenField()
    agreed = BooleanField(_l("I have read the agreement and sign it for the company."))


class SubmitForm(NameFields, OnceForm, StepUpForm):
    """Declaring and submitting; `seen` is the fingerprint of what the page shows."""

    seen = HiddenField()
    declared = BooleanField(_l("I make this declaration."))


class ReplyForm(Form):
    """What was done about a returned task."""

    reply = TextAreaField(
        _l("What did you change, or why did nothing have to change?"),
        [
            InputRequired(_l("Say what you changed, or why nothing had to change.")),
            Length(
                max=LONGEST_REPLY,
                message=_l("Use 4,000 characters or fewer. Longer texts belong in a document."),
            ),
        ],
        render_kw={"rows": 6},
    )


class WithdrawForm(Form):
    """A page that asks once more; it carries the form token and nothing else."""


class MoveForm(Form):
    """Moving to newer criteria; `seen` names the version that the page shows."""

    seen = HiddenField()


class CarriedForm(Form):
    """Carried answers of one section that are confirmed or set aside; `act` says which of both."""

    section = HiddenField()
    question = SelectMultipleField(_l("Answers"), validate_choice=False)
    act = HiddenField(validators=[AnyOf(["confirm", "aside"])])

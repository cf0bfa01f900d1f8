"""The forms about new officers. They check shape only; the rules and the service decide the rest."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from app.documents.forms import HoldingForm
from app.identity.step_up import StepUpForm
from app.successions.rules import Proposal
from app.successions.wording import FATES, GROUND_CHOICES
from app.successions.workflow import Fate, Ground
from app.traders.forms import needed
from app.web.forms import Form
from app.web.once import OnceForm

LONGEST = 4000
TOO_LONG = _l("Use 4,000 characters or fewer.")


class ProposeForm(HoldingForm, OnceForm, StepUpForm):
    """A new officer, why, and what becomes of the officers before."""

    ground = RadioField(
        _l("Why can the company not appoint one itself?"),
        choices=[SelectChoice(one.value, words) for one, words in GROUND_CHOICES.items()],
        validators=[InputRequired(_l("Choose the ground."))],
    )
    reason = TextAreaField(
        _l("What the agency knows, and from whom"),
        [
            InputRequired(_l("Say what the agency knows and from whom.")),
            Length(max=LONGEST, message=TOO_LONG),
        ],
    )
    file = FileField(
        _l("Paper that shows it"), validators=[FileRequired(_l("Attach the paper that shows it."))]
    )
    fate = RadioField(
        _l("What becomes of the appointments of the officers before?"),
        choices=[SelectChoice(one.value, words) for one, words in FATES.items()],
        default=Fate.END.value,
        validators=[InputRequired(_l("Choose one."))],
    )
    officer_name = StringField(
        _l("The new officer's name"), needed(_l("Give the new officer's name."))
    )
    officer_email = StringField(
        _l("The new officer's mail address"), needed(_l("Give the new officer's mail address."))
    )

    def proposal(self) -> Proposal:
        """What was filled in; only after the form has been validated."""
        return Proposal(
            ground=Ground(self.ground.data),
            fate=Fate(self.fate.data),
            reason=self.reason.data or "",
            officer_name=self.officer_name.data or "",
            officer_email=(self.officer_email.data or "").lower(),
        )


class ApproveForm(StepUpForm):
    """The second signature."""


class DeclineForm(StepUpForm):
    """A refusal to sign; the proposer reads why."""

    reason = TextAreaField(
        _l("Reason, for the proposer"),
        [InputRequired(_l("Say why.")), Length(max=LONGEST, message=TOO_LONG)],
    )


class ConfirmForm(Form):
    """A plain "yes"; it carries the token alone."""

"""The console's forms. They check shape only; the rules and the services decide the rest."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, cast

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.casework.rules.dossier import FrozenCriterion
from app.identity.step_up import StepUpForm
from app.register.programme import PROGRAMMES, Move, Programme, Status
from app.web.forms import Form
from app.web.once import OnceForm

LONGEST = 4000
TOO_LONG = _l("Use 4,000 characters or fewer.")


def prose(message: str) -> list[Any]:
    """Something has to be written, of a length that fits."""
    return [InputRequired(message), Length(max=LONGEST, message=TOO_LONG)]


class Day(DateField):
    """A date whose error says what to give."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the date; a malformed one stays in the field."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            msg = gettext("Give a day, month and year that exist.")
            raise ValueError(msg) from error


class Several(SelectMultipleField):
    """Checkboxes, of which none may be ticked."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class JudgeForm(OnceForm):
    """The verdict on one criterion; which one is named by the button that sends it."""

    snapshot = HiddenField()
    verdict = StringField(_l("Verdict"))
    comment = TextAreaField(_l("Your comment"), [Optional(), Length(max=LONGEST, message=TOO_LONG)])

    @property
    def snapshot_number(self) -> int:
        """The round that was on the page; 0, which no case has, when it was tampered with."""
        text = self.snapshot.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004


def key_of(criterion_id: str) -> str:
    """A criterion's id as part of an HTML id: a dot would be read as a class in a selector."""
    return criterion_id.replace(".", "_")


class AskForm(OnceForm):
    """A request for information; `ask_form` adds a tick and a comment for each criterion."""

    snapshot = HiddenField()
    tasks = Several(_l("Other parts of the application"))
    message = TextAreaField(_l("Message to the trader"), prose(_l("Write a message.")))
    due_on = Day(_l("Answer due by"), [InputRequired(_l("Give the day."))])

    snapshot_number = JudgeForm.snapshot_number

    def comments(self, criteria: Iterable[FrozenCriterion]) -> dict[str, str]:
        """The words on each ticked criterion."""
        return {
            one.id: self[f"comment-{key_of(one.id)}"].data or ""
            for one in criteria
            if self[f"include-{key_of(one.id)}"].data
        }


def ask_form(
    criteria: Iterable[FrozenCriterion],
    comments: Mapping[str, str],
    tasks: Iterable[tuple[str, str]],
) -> AskForm:
    """The form of a request about `criteria`, prefilled with the reviewer's own comments."""
    fields: dict[str, Any] = {}
    for one in criteria:
        fields[f"include-{key_of(one.id)}"] = BooleanField(
            f"{one.id} {one.title}", default=True, id=f"include-{key_of(one.id)}"
        )
        fields[f"comment-{key_of(one.id)}"] = TextAreaField(
            _l("What you ask for on %(criterion)s", criterion=one.id),
            [Optional(), Length(max=LONGEST, message=TOO_LONG)],
            default=comments.get(one.id, ""),
        )
    form = cast("AskForm", type("AskFormOfCase", (AskForm,), fields)())
    form.tasks.choices = [SelectChoice(key, title) for key, title in tasks]
    return form


class ReasonForm(OnceForm, StepUpForm):
    """Why, and from when: what every proposal of a determination says."""

    tier = RadioField(_l("Tier"), coerce=int, validators=[Optional()])
    restrictions = Several(_l("Benefits"))
    status = SelectField(_l("Status that is right"), validators=[Optional()])
    reason_code = RadioField(_l("Reason"), validators=[InputRequired(_l("Choose a reason."))])
    reason_text = TextAreaField(
        _l("In your own words, for the trader"), prose(_l("Explain the reason."))
    )
    effective_from = Day(_l("In force from"), [Optional()])
    effective_until = Day(_l("In force until"), [Optional()])

    def of(self, move: Move) -> "ReasonForm":
        """Keep the fields that the move asks for, and give its reasons."""
        self.reason_code.choices = [SelectChoice(one.code, one.text) for one in move.reasons]
        corrects = move.to == "given"
        for name, wanted in (
            ("tier", move.needs_tier or corrects),
            ("restrictions", move.restrictions is not None),
            ("status", corrects),
            ("effective_from", move.starts != "at-once"),
            ("effective_until", corrects),
        ):
            if not wanted:
                del self[name]
        return self

    def choose(
        self, programme: Programme, tiers: Iterable[int], restrictions: Iterable[str]
    ) -> None:
        """Say which tiers, benefits and statuses can be named."""
        if "tier" in self:
            self.tier.choices = [SelectChoice(n, _tier_name(programme, n)) for n in tiers]
        if "restrictions" in self:
            self.restrictions.choices = [
                SelectChoice(code, programme.benefit(code).name) for code in restrictions
            ]
        if "status" in self:
            self.status.choices = [
                SelectChoice("", _l("Choose a status")),
                *(SelectChoice(one.status.value, one.name) for one in programme.statuses),
            ]

    def wish(self, today: date) -> dict[str, Any]:
        """What was asked for, as the register's verbs take it. Today is "at the signature"."""
        chosen = self.status.data if "status" in self else None
        return {
            "tier": self.tier.data if "tier" in self else None,
            "restrictions": tuple(self.restrictions.data or ()) if "restrictions" in self else (),
            "status": Status(chosen) if chosen else None,
            "reason_code": self.reason_code.data or "",
            "reason_text": self.reason_text.data or "",
            "effective_from": self._instant("effective_from", today),
            "effective_until": self._instant("effective_until", None),
        }

    def _instant(self, name: str, today: date | None) -> datetime | None:
        on = self[name].data if name in self else None
        if on is None or on == today:
            return None
        return datetime.combine(on, time.min, UTC)


def _tier_name(programme: Programme, number: int) -> str:
    tier = programme.tier(number)
    return f"{number}: {tier.name if tier else ''}"


class ApproveForm(StepUpForm):
    """The second signature."""


class DeclineForm(StepUpForm):
    """The refusal of the second signature."""

    reason = TextAreaField(
        _l("Why you decline, for the reviewer"), prose(_l("Say why you decline."))
    )


class RefusalForm(Form):
    """Why an identifier is not accepted."""

    reason = TextAreaField(_l("Reason, for the trader"), prose(_l("Give the reason.")))


class ResolveForm(Form):
    """Who keeps an identifier that two traders claim."""

    keep = RadioField(
        _l("Who keeps this identifier?"), validators=[InputRequired(_l("Choose one."))]
    )
    reason = TextAreaField(
        _l("Reason, for the traders whose claim is refused"), prose(_l("Give the reason."))
    )


class ConfirmForm(Form):
    """A plain "yes"; it carries the token alone."""


class FilterForm(Form):
    """What narrows the register's list; it stands in the address."""

    class Meta(Form.Meta):
        """Reading needs no token."""

        csrf = False

    name = StringField(_l("Name"))
    programme = SelectField(_l("Programme"), validate_choice=False)
    status = SelectField(_l("Status"), validate_choice=False)

    def with_choices(self) -> "FilterForm":
        """Give the programmes, and the statuses by the names that they have there."""
        self.programme.choices = [
            SelectChoice("", _l("Every programme")),
            *(SelectChoice(one.id, one.name) for one in PROGRAMMES.values()),
        ]
        names: dict[str, str] = {}
        for programme in PROGRAMMES.values():
            names |= {one.status.value: one.name for one in programme.statuses}
        self.status.choices = [
            SelectChoice("", _l("Every status")),
            *(SelectChoice(status, name) for status, name in names.items()),
        ]
        return self

    @property
    def chosen_programme(self) -> str | None:
        """The programme, `None` for all and for what is none."""
        return self.programme.data if self.programme.data in PROGRAMMES else None

    @property
    def chosen_status(self) -> Status | None:
        """The status, `None` for all and for what is none."""
        known = {one.value: one for one in Status}
        return known.get(self.status.data or "")


class ProposeCriteriaForm(OnceForm):
    """Why a version of a catalogue is to be used."""

    note = TextAreaField(
        _l("Why are these criteria needed?"), prose(_l("Say why these criteria are needed."))
    )


class PublishCriteriaForm(StepUpForm):
    """The second signature under a version of a catalogue."""


class DeclineCriteriaForm(StepUpForm):
    """A refusal to sign; the proposer reads why."""

    reason = TextAreaField(_l("Reason, for the proposer"), prose(_l("Say why.")))

"""A fresh proof of identity for acts that cannot be taken back: declarations, determinations.

Two ways to ask for it, and nothing typed is ever lost:

- A form derives from `StepUpForm`; its page puts `step_up(form)` of `identity/step_up.html` above
  its button. While the last proof is fresh nothing shows. When it is not, the page offers what
  the person has: a passkey, which makes the session fresh without sending the form, or a code of
  the authenticator app in the form itself. The view asks `form.confirm()` before the service:

      if form.validate_on_submit() and form.confirm():

- A page without such a form calls `require_fresh()`, which sends the person to `/confirm` and back.

A password alone is no step-up; the agency's people use a passkey, as at sign-in.
"""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from flask import g, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import HTTPException
from wtforms import StringField

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.identity import proving, rules, sessions
from app.identity.factors import Factors, factors_of
from app.kernel.errors import NotAllowedError
from app.web.forms import Form
from app.web.requests import circumstances, current_actor, current_work
from app.web.wiring import wiring


def is_fresh() -> bool:
    """Whether this person proved who they are within the last five minutes."""
    return rules.is_fresh(current_actor().fresh_at, wiring().clock.now())


def require_fresh(*, back: str | None = None) -> None:
    """Send a person whose last proof is too old to `/confirm`, and back to this address.

    For pages that are fetched, and for buttons, which lead back to the security page. A form with
    something typed in it uses `StepUpForm`, which loses nothing. An address that leads on to
    another site names the page to come `back` to: browsers refuse to follow a sent form there.
    """
    if is_fresh():
        return
    here = request.full_path.rstrip("?") if request.method == "GET" else "/security"
    here = back or here
    address = f"{url_for('identity.step_up')}?next={quote(here)}"
    raise HTTPException(response=redirect(address, code=303))


def own_factors() -> Factors:
    """What the signed-in person has."""
    actor = current_actor()
    if actor.person_id is None:
        raise NotAllowedError("Sign in first.")
    return factors_of(current_work().session, actor.person_id)


def offers_code() -> bool:
    """Whether a code of an authenticator app will do: not for the agency's people."""
    return not current_actor().is_agency and own_factors().authenticator is not None


def prove(code: str) -> str | None:
    """Judge a code of the signed-in person; `None` when right, else what to tell them.

    When right, the session is fresh from now on, under a new token.
    """
    actor = current_actor()
    if actor.person_id is None or not offers_code():
        return str(gettext("Confirm with your passkey."))
    problem = proving.judge_code(actor.person_id, code)
    _note(proved=problem is None)
    return problem


def prove_by_passkey(answer: str) -> bool:
    """Judge a passkey's answer of the signed-in person; when right, the session is fresh."""
    actor = current_actor()
    right = (
        actor.person_id is not None
        and proving.judge_passkey(answer, "confirm", actor.person_id) is not None
    )
    _note(proved=right)
    return right


def _note(*, proved: bool) -> None:
    actor = current_actor()
    if proved:
        g.actor = replace(actor, fresh_at=sessions.mark_fresh())
        current_work().actor = g.actor
    record_security_event(
        wiring().engine,
        SecurityTag.STEPPED_UP if proved else SecurityTag.STEP_UP_FAILED,
        circumstances(),
        person_id=actor.person_id,
    )


class StepUpForm(Form):
    """A form that may be sent only by somebody who has just proved who they are."""

    code_again = StringField(
        lazy_gettext("Code from your authenticator app"),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )

    @property
    def asks_again(self) -> bool:
        """Whether the page has to ask for a proof."""
        return not is_fresh()

    @property
    def offers_code(self) -> bool:
        return offers_code()

    @property
    def offers_passkey(self) -> bool:
        return bool(own_factors().passkeys)

    def done(self, action: Callable[[], object]) -> bool:
        """As every form's, by somebody who has proved who they are."""
        return self.validate_on_submit() and self.confirm() and self.attempt(action)

    def confirm(self) -> bool:
        """Whether the sender may go on; if not, the reason stands beside the field.

        Ask it after `validate_on_submit()`, so that a proof is not used up by a typing error.
        """
        if is_fresh():
            return True
        if not self.offers_code:
            problem: str | None = gettext("Confirm with your passkey, then send the form.")
        elif not self.code_again.data:
            problem = gettext("Confirm that it is you: type the code of your authenticator app.")
        else:
            problem = prove(self.code_again.data)
        if problem is None:
            return True
        self.code_again.errors = [problem]
        return False

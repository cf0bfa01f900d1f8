"""A fresh proof of identity for acts that cannot be taken back: declarations, determinations.

Two ways to ask for it, and nothing typed is ever lost:

- A form derives from `StepUpForm`; its page puts `step_up(form)` of `identity/step_up.html` above
  its button. While the last proof is fresh nothing shows. When it is not, a password field stands
  in the form itself, and the view asks `form.confirm()` before it calls the service:

      if form.validate_on_submit() and form.confirm():

- A page without such a form calls `require_fresh()`, which sends the person to `/confirm` and back.
"""

from dataclasses import replace
from math import ceil
from urllib.parse import quote

from flask import g, redirect, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.exceptions import HTTPException
from wtforms import PasswordField

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.identity import limits, queries, rules, sessions
from app.identity.passwords import verify_password
from app.web.forms import Form
from app.web.requests import circumstances, current_actor, current_work
from app.web.wiring import wiring


def is_fresh() -> bool:
    """Whether this person proved who they are within the last five minutes."""
    return rules.is_fresh(current_actor().fresh_at, wiring().clock.now())


def require_fresh() -> None:
    """Send a person whose last proof is too old to `/confirm`, and back to this address.

    For pages that are fetched. A form that is sent uses `StepUpForm`, which loses nothing.
    """
    if is_fresh():
        return
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    address = f"{url_for('identity.step_up')}?next={quote(here)}"
    raise HTTPException(response=redirect(address, code=303))


def prove(password: str) -> str | None:
    """Judge the password of the signed-in person; `None` when right, else what to tell them.

    Side effects in order, each committed at once: the try is counted; a security event; when
    right, the session is fresh from now on.
    """
    actor = current_actor()
    wired = wiring()
    attempt = limits.begin_attempt("step-up", str(actor.person_id))
    if attempt.locked:
        minutes = ceil(attempt.wait.total_seconds() / 60)
        return str(
            ngettext(
                "Too many wrong passwords. Wait one minute, then try again.",
                "Too many wrong passwords. Wait %(num)d minutes, then try again.",
                minutes,
            )
        )
    person = None
    if actor.person_id is not None:
        person = queries.person(current_work().session, actor.person_id)
    if person is None or not verify_password(person.password_hash, password):
        record_security_event(
            wired.engine, SecurityTag.STEP_UP_FAILED, circumstances(), person_id=actor.person_id
        )
        return str(gettext("This is not the right password."))
    limits.succeed(attempt)
    fresh_at = sessions.mark_fresh()
    g.actor = replace(actor, fresh_at=fresh_at)
    current_work().actor = g.actor
    record_security_event(
        wired.engine, SecurityTag.STEPPED_UP, circumstances(), person_id=actor.person_id
    )
    return None


class StepUpForm(Form):
    """A form that may be sent only by somebody who has just proved who they are."""

    password_again = PasswordField(
        lazy_gettext("Your password"), filters=[], render_kw={"autocomplete": "current-password"}
    )

    @property
    def asks_for_password(self) -> bool:
        """Whether the page has to show the password field."""
        return not is_fresh()

    def confirm(self) -> bool:
        """Whether the sender may go on; if not, the reason stands beside the password field.

        Ask it after `validate_on_submit()`, so that a proof is not used up by a typing error.
        """
        if is_fresh():
            return True
        if not self.password_again.data:
            problem: str | None = gettext("Type your password to confirm that it is you.")
        else:
            problem = prove(self.password_again.data)
        if problem is None:
            return True
        self.password_again.errors = [problem]
        return False

"""Every page about API clients, for whoever's they are; `traders` and `agency` give addresses."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields import SelectChoice

from app.api_access import queries
from app.api_access.forms import (
    OVERLAPS,
    ConfirmForm,
    ProofFields,
    QuotaForm,
    RegisterForm,
    RotateForm,
)
from app.api_access.views.words import (
    SCOPES,
    STATES,
    banner,
    credential_name,
    credential_state,
    scope_words,
)
from app.authz.permissions import Permission
from app.identity import queries as identity
from app.identity import quota, service
from app.identity.client_rules import OVERLAP_MAX
from app.identity.models import ApiClient, ClientCredential
from app.identity.scopes import PREFIXES, Audience
from app.identity.scopes import SCOPES as ALL_SCOPES
from app.identity.service.clients import rules_of
from app.identity.step_up import StepUpForm
from app.identity.workflow import ClientState
from app.kernel.errors import ConflictError, NotReadyError
from app.traders.models import Trader
from app.web.filters import when
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work
from app.web.wiring import wiring


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose clients a page is about: those of `trader`, or with `None` the agency's own.

    `area` is the blueprint that has the addresses; `may_manage` whether buttons are shown.
    """

    area: str
    trader: Trader | None
    may_manage: bool = True

    @property
    def trader_id(self) -> uuid.UUID | None:
        return None if self.trader is None else self.trader.id

    @property
    def audience(self) -> Audience:
        return Audience.INTERNAL if self.trader is None else Audience.TRADER

    def url(self, endpoint: str, **values: Any) -> str:  # noqa: ANN401 - ids.
        """The address of one of the pages of this owner."""
        if self.trader is not None:
            values["trader_id"] = self.trader.id
        return url_for(f"{self.area}.{endpoint}", **values)

    def client(self, key: uuid.UUID) -> ApiClient:
        return queries.visible_client(current_work(), self.trader_id, key)


def index(owner: Owner) -> Response:
    """Every client with its state, its last use and what it has used of its quota today."""
    work = current_work()
    found = paginate(work.session, identity.clients_of(owner.trader_id), page_number())
    used = quota.figures(found.items, work.now)
    return _render(
        "index.html",
        owner,
        page=found,
        rows=[{"client": one, "day": used[one.id][1]} for one in found.items],
        states=STATES,
        scopes=SCOPES,
        permission=Permission,
    )


def register(owner: Owner) -> Response | BaseResponse:
    """Register a program; the answer shows its secret, this once."""
    form = RegisterForm()
    form.scopes.choices = [
        SelectChoice(one, scope_words(one)) for one in sorted(ALL_SCOPES[owner.audience])
    ]
    made: list[tuple[ApiClient, str | None]] = []

    def act() -> None:
        made.append(
            service.create_client(
                current_work(),
                name=form.name.data or "",
                scopes=form.scopes.data or (),
                trader_id=owner.trader_id,
                jwk=form.public_key,
                key=form.row_id,
            )
        )

    if _done(form, act):
        return _handed_over(owner, *made[0], by_key=form.public_key is not None)
    return _form(owner, "new.html", form)


def show(owner: Owner, key: uuid.UUID) -> Response:
    """One client: whether it works, its secrets and keys, its use and its quota."""
    work, client = current_work(), owner.client(key)
    held = identity.credentials_of(work.session, client.id)
    minute, day = quota.figures([client], work.now)[client.id]
    return _render(
        "client.html",
        owner,
        client=client,
        top=banner(
            client,
            live=sum(one.is_live(work.now) for one in held),
            may_manage=owner.may_manage,
        ),
        scopes=[scope_words(one) for one in client.scopes],
        credentials=[_credential(one, client) for one in held],
        makers=queries.makers_of(work, held),
        minute=minute,
        day=day,
        token_address=f"{wiring().settings.address}/oauth/token",
        base_address=f"{wiring().settings.address}{PREFIXES[owner.audience]}v1",
        may_rotate=owner.may_manage and client.state != ClientState.REVOKED,
        may_wake=owner.may_manage and "wake" in client.available(),
        may_revoke=owner.may_manage and "revoke" in client.available(),
    )


def rotate(owner: Owner, key: uuid.UUID) -> Response | BaseResponse:
    """A new secret or key; the answer shows the secret, this once."""
    client = owner.client(key)
    form = RotateForm()
    if client.state == ClientState.REVOKED and not form.is_submitted():
        raise ConflictError("This client is revoked. Register a new one.")
    made: list[tuple[ClientCredential, str | None]] = []

    def act() -> None:
        made.append(
            service.rotate_credential(
                current_work(),
                client,
                overlap=OVERLAPS[form.overlap.data][0],
                jwk=form.public_key,
                key=form.row_id,
            )
        )

    if _done(form, act):
        return _handed_over(owner, client, made[0][1], by_key=form.public_key is not None)
    return _form(owner, "rotate.html", form, client=client, days=OVERLAP_MAX.days)


def revoke_credential(
    owner: Owner, key: uuid.UUID, credential_id: uuid.UUID
) -> Response | BaseResponse:
    """End one secret or key at once, after a page that says what that means."""
    work, client = current_work(), owner.client(key)
    found = queries.visible_credential(work, client, credential_id)
    name = credential_name(found)
    return _confirmed(
        owner,
        client,
        lambda: service.revoke_credential(work, client, found),
        title=gettext("Revoke this secret?") if found.jwk is None else gettext("Revoke this key?"),
        body=[
            gettext(
                "%(name)s of %(client)s, made on %(at)s.",
                name=name,
                client=client.name,
                at=when(found.created_at),
            ),
            gettext("Last used on %(at)s.", at=when(found.last_used_at))
            if found.last_used_at
            else gettext("It was never used."),
            gettext(
                "Whoever proves themselves with it, and every token that it brought, is refused"
                " from now on. Other secrets and keys of this client go on working."
            ),
        ],
        button=gettext("Revoke it"),
        said=gettext("Revoked. It took effect at once."),
    )


def revoke(owner: Owner, key: uuid.UUID) -> Response | BaseResponse:
    """End a client for good, after a page that says what that means."""
    work, client = current_work(), owner.client(key)

    def act() -> None:
        if client.state != ClientState.REVOKED:
            service.revoke_client(work, client)

    return _confirmed(
        owner,
        client,
        act,
        title=gettext("Revoke this client?"),
        body=[
            client.name,
            gettext(
                "The program is out at once and for good, with all of its secrets, keys and tokens."
                " What it did stays on record."
            ),
        ],
        button=gettext("Revoke the client"),
        said=gettext("Revoked. It took effect at once."),
    )


def wake(owner: Owner, key: uuid.UUID) -> Response | BaseResponse:
    """Let a suspended client work again."""
    work, client = current_work(), owner.client(key)
    return _confirmed(
        owner,
        client,
        lambda: service.wake_client(work, client),
        title=gettext("Wake this client?"),
        body=[
            client.name,
            gettext("Its secrets and keys that have not ended work again at once."),
        ],
        button=gettext("Wake the client"),
        variant=None,
        said=gettext("Awake. It works again."),
    )


def set_quota(owner: Owner, key: uuid.UUID) -> Response | BaseResponse:
    """Set how many requests a client may send, or take the usual figures again."""
    work, client = current_work(), owner.client(key)
    form = QuotaForm(obj=client)

    def act() -> None:
        service.set_quota(
            work,
            client,
            per_minute=int(form.per_minute.data) if form.per_minute.data else None,
            per_day=int(form.per_day.data) if form.per_day.data else None,
        )

    if _done(form, act):
        flash(gettext("Saved."), "success")
        return redirect(owner.url("show", api_client_id=client.id), code=303)
    return _form(owner, "quota.html", form, client=client, usual=rules_of(client))


def _credential(one: ClientCredential, client: ApiClient) -> dict[str, Any]:
    now = current_work().now
    words, tone = credential_state(one, client, now)
    return {
        "row": one,
        "name": credential_name(one),
        "state": {"text": words, "tone": tone},
        "live": one.is_live(now),
    }


def _handed_over(
    owner: Owner, client: ApiClient, secret: str | None, *, by_key: bool
) -> Response | BaseResponse:
    """The page with the secret, in the very answer to the form: it is kept nowhere.

    A form that was sent twice finds no secret any more and leads to the client's page.
    """
    if secret is None:
        if by_key:
            flash(
                gettext("Saved. The program can prove itself with the key from now on."), "success"
            )
        else:
            flash(
                gettext(
                    "The form was sent twice: the secret was shown in the answer to the first time."
                    " If nobody has it, make a new one."
                ),
                "warning",
            )
        return redirect(owner.url("show", api_client_id=client.id), code=303)
    return _render(
        "secret.html",
        owner,
        client=client,
        secret=secret,
        token_address=f"{wiring().settings.address}/oauth/token",
        form_errors=False,
    )


def _confirmed(
    owner: Owner,
    client: ApiClient,
    act: Callable[[], object],
    *,
    said: str,
    variant: str | None = "danger",
    **words: Any,  # noqa: ANN401 - title, body, button.
) -> Response | BaseResponse:
    form = ConfirmForm()
    if _done(form, act):
        flash(said, "success")
        return redirect(owner.url("show", api_client_id=client.id), code=303)
    return _form(owner, "confirm.html", form, client=client, variant=variant, **words)


def _done(form: StepUpForm, act: Callable[[], object]) -> bool:
    """Whether the form was sent by somebody who has proved who they are, and `act` is done."""
    whole = form.validate_on_submit()
    if isinstance(form, ProofFields):
        whole = whole and form.has_key
    if not whole or not form.confirm():
        return False
    try:
        act()
    except NotReadyError as refusal:
        form.show(refusal.problems)
        if isinstance(form, ProofFields):
            form.forget_private(refusal.problems)
        return False
    return True


def _form(owner: Owner, template: str, form: StepUpForm, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    return _render(
        template,
        owner,
        form=form,
        form_errors=bool(form.errors),
        status=422 if form.errors else 200,
        **context,
    )


def _render(template: str, owner: Owner, **context: Any) -> Response:  # noqa: ANN401
    layout = "layout/console.html" if owner.trader is None else "layout/portal.html"
    return render(f"api_access/{template}", owner=owner, layout=layout, **context)

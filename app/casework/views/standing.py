"""Changing a standing: one page for each move that the programme's data allows."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may
from app.casework.forms import ReasonForm
from app.casework.views import preview
from app.casework.views.frame import back_to, blueprint, note_file, page
from app.casework.views.words import STATUS_TONES, Tag, standing_words
from app.kernel.errors import NotFoundError
from app.register import queries as register
from app.register import rules
from app.register import service as register_service
from app.register.programme import PROGRAMMES, Kind, Move, Programme
from app.register.rules import Standing, Wish
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.requests import current_work

SEND = "send"


@blueprint.route("/register/<uuid:trader_id>/<programme_id>/<move_id>", methods=["GET", "POST"])
@requires(Permission.DETERMINATION_PROPOSE)
def change_standing(
    trader_id: uuid.UUID, programme_id: str, move_id: str
) -> Response | BaseResponse:
    """Propose a change of a standing, which another person has to sign."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.DETERMINATION_PROPOSE)
    programme, move = _named(programme_id, move_id)
    if move.urgent or not may(work.actor, move.proposes, trader):
        raise NotFoundError
    form = ReasonForm().of(move)
    made: list[uuid.UUID] = []

    def act() -> None:
        wish = form.wish(work.now.date())
        found = register_service.propose(
            work, trader_id, programme=programme_id, move=move_id, key=form.row_id, **wish
        )
        made.append(found.id)

    answer = _change(form, trader, programme, move, act)
    if answer is not None:
        return answer
    message = gettext("Proposed. Nothing changes until another person has signed it.")
    return back_to("determination", message, determination_id=made[0])


@blueprint.route("/register/<uuid:trader_id>/<programme_id>/suspend-now", methods=["GET", "POST"])
@requires(Permission.SUSPEND_URGENTLY)
def suspend_now(trader_id: uuid.UUID, programme_id: str) -> Response | BaseResponse:
    """Suspend at once on one signature; the second is due within the programme's clock."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.SUSPEND_URGENTLY)
    programme = PROGRAMMES.get(programme_id)
    move = next((one for one in programme.moves if one.urgent), None) if programme else None
    if programme is None or move is None:
        raise NotFoundError
    form = ReasonForm().of(move)

    def act() -> None:
        register_service.suspend_urgently(
            work,
            trader_id,
            programme=programme_id,
            reason_code=form.reason_code.data or "",
            reason_text=form.reason_text.data or "",
            key=form.row_id,
        )

    answer = _change(form, trader, programme, move, act)
    if answer is not None:
        return answer
    message = gettext("Suspended. No benefit applies from now on. The second signature is due.")
    return back_to("partner", message, trader_id=trader_id)


def _named(programme_id: str, move_id: str) -> tuple[Programme, Move]:
    programme = PROGRAMMES.get(programme_id)
    move = programme.move(move_id) if programme else None
    if programme is None or move is None:
        raise NotFoundError
    return programme, move


def _change(
    form: ReasonForm,
    trader: Trader,
    programme: Programme,
    move: Move,
    act: Callable[[], None],
) -> Response | None:
    """The page of a move; `None` when the form was sent and the register has done it."""
    work = current_work()
    note_file(trader, "trader", f"{programme.id} {move.id}")
    standing = register.standing_of(work.session, trader.id, programme.id, valid_at=work.now)
    form.choose(
        programme,
        [one.tier for one in programme.tiers]
        if move.to == "given"
        else rules.open_tiers(move, standing, programme),
        [one.code for one in programme.benefits]
        if move.restrictions == "set"
        else rules.open_restrictions(move, standing, programme),
    )
    letter = None
    if form.validate_on_submit():
        sent = request.form.get("step") == SEND
        if sent and form.confirm() and form.attempt(act):
            return None
        wish = Wish(**form.wish(work.now.date()))
        problems = rules.problems(move, standing, programme, wish, now=work.now)
        if not problems:
            letter = preview.of_standing(trader, programme, move, standing, wish, work.now)
        elif not sent:
            form.show(problems)
    return page(
        "change.html",
        form,
        trader=trader,
        programme=programme,
        move=move,
        standing=_tag(programme, standing),
        available=move in rules.available_moves(standing, programme),
        preview=letter,
        takes=move.kind is Kind.TAKES,
        **_clocks(programme, move),
    )


def _tag(programme: Programme, standing: Standing | None) -> Tag | None:
    if standing is None:
        return None
    words = standing_words(programme, standing.status, standing.tier)
    return Tag(words, STATUS_TONES[standing.status])


def _clocks(programme: Programme, move: Move) -> dict[str, Any]:
    return {
        "notice": programme.clock(move.notice) if move.notice else None,
        "appeal": programme.clock(move.appeal) if move.appeal else None,
        "hours": int(programme.clock("countersignature").period.total_seconds() // 3600)
        if move.urgent
        else None,
    }

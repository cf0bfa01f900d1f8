"""The register: the list of partners, its CSV, and one trader's page with all that was ever believed."""

import csv
import io
import uuid
from typing import Any, cast

from flask import Response, request, url_for
from sqlalchemy import Select
from werkzeug.wrappers import Response as BaseResponse

from app.advance_data.csv_export import formula_safe
from app.advance_data.measured import signal_for
from app.advance_data.shown_score import SIGNAL_WORDS
from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.casework import queries
from app.casework.forms import FilterForm
from app.casework.views.frame import blueprint, may_here, note_file
from app.casework.views.identifiers import lines_of
from app.casework.views.words import (
    STATUS_TONES,
    Tag,
    determination_tag,
    move_name,
    standing_words,
    state_tag,
)
from app.register import queries as register_queries
from app.register import rules
from app.register.models import RegisterEntry
from app.register.programme import PROGRAMMES, Programme, Status
from app.register.rules import Standing
from app.successions import queries as successions
from app.traders.models import Trader
from app.traders.queries import officer_appointments, visible_trader
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work

COLUMNS = (
    "Trader",
    "Programme",
    "Status",
    "Tier",
    "Restrictions",
    "In force from",
    "In force until",
)


def _filtered() -> tuple[FilterForm, Select[Any]]:
    form = FilterForm(request.args).with_choices()
    statement = register_queries.partners(
        valid_at=current_work().now,
        programme=form.chosen_programme,
        status=form.chosen_status,
        name=form.name.data or "",
    )
    return form, cast("Select[Any]", statement)


@blueprint.get("/register")
@requires(Permission.CASE_VIEW)
def register() -> Response:
    """The traders with an entry in force, by name."""
    form, statement = _filtered()
    found = paginate(current_work().session, statement, page_number())
    kept: dict[str, Any] = {
        name: value for name, value in request.args.items() if name in form and value
    }
    return render(
        "casework/register.html",
        fragment="partners",
        form=form,
        filtered=bool(kept),
        page=found,
        rows=[_row(trader, entry) for trader, entry in found.items],
        csv_href=url_for("casework.register_csv", **kept),
    )


def _row(trader: Trader, entry: RegisterEntry) -> dict[str, Any]:
    programme = PROGRAMMES[entry.programme]
    return {
        "trader": trader,
        "programme": programme.name,
        "standing": Tag(
            standing_words(programme, entry.status, entry.tier), STATUS_TONES[Status(entry.status)]
        ),
        "restrictions": [programme.benefit(code).name for code in entry.restrictions],
        "since": entry.valid.lower,
        "until": entry.valid.upper,
    }


@blueprint.get("/register.csv")
@requires(Permission.CASE_VIEW)
def register_csv() -> BaseResponse:
    """The rows of the list, all of them, for a spreadsheet; no cell can act as a formula there."""
    _, statement = _filtered()
    note_access(Seen(subject_kind="register", subject="register.csv"))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for trader, entry in current_work().session.execute(statement):
        upper = entry.valid.upper
        cells = (
            trader.name,
            PROGRAMMES[entry.programme].name,
            entry.status,
            "" if entry.tier is None else str(entry.tier),
            " ".join(entry.restrictions),
            entry.valid.lower.isoformat(),
            "" if upper is None else upper.isoformat(),
        )
        writer.writerow([formula_safe(one) for one in cells])
    answer = Response("\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=register.csv"
    return answer


@blueprint.get("/register/<uuid:trader_id>")
@requires(Permission.CASE_VIEW)
def partner(trader_id: uuid.UUID) -> Response:
    """One trader in the register: its standings, what can be changed, what was believed when."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.CASE_VIEW)
    note_file(trader, "trader", "register")
    standings = register_queries.standings_of(work.session, trader_id, valid_at=work.now)
    versions = register_queries.versions_of(work.session, trader_id)
    determinations = register_queries.determinations_of(work.session, trader_id)
    by_id = {one.id: one for one in determinations}
    return render(
        "casework/partner.html",
        trader=trader,
        data_signal=SIGNAL_WORDS[signal_for(work, trader_id)],
        officers=[person.name for _, person in officer_appointments(work.session, trader_id)],
        new_officer=successions.open_at(work.session, trader_id),
        may_replace=may_here(trader, Permission.SUCCESSION_PROPOSE),
        lines=lines_of(trader),
        programmes=[
            _programme(trader, one, standings.get(one.id), versions) for one in PROGRAMMES.values()
        ],
        versions=[
            {
                "programme": PROGRAMMES[one.programme].name,
                "standing": standing_words(PROGRAMMES[one.programme], one.status, one.tier),
                "valid": one.valid,
                "recorded": one.recorded,
                "believed": one.recorded.upper is None,
                "reason": one.reason_text,
                "determination": by_id.get(one.determination_id),
            }
            for one in versions
        ],
        determinations=[
            {
                "determination": one,
                "name": move_name(one),
                "tag": determination_tag(one),
                "programme": PROGRAMMES[one.programme].name,
            }
            for one in determinations
        ],
        cases=[
            {"case": one, "tag": state_tag(one)}
            for one in queries.cases_of(work.session, trader_id)
        ],
    )


def _programme(
    trader: Trader,
    programme: Programme,
    standing: Standing | None,
    versions: Any,  # noqa: ANN401
) -> dict[str, Any]:
    actor = current_work().actor
    available = rules.available_moves(standing, programme)
    ahead = [
        one
        for one in versions
        if one.programme == programme.id
        and one.recorded.upper is None
        and one.valid.lower > current_work().now
    ]
    return {
        "programme": programme,
        "standing": None
        if standing is None
        else Tag(
            standing_words(programme, standing.status, standing.tier),
            STATUS_TONES[standing.status],
        ),
        "entry": standing,
        "meaning": "" if standing is None else programme.status(standing.status).meaning,
        "benefits": []
        if standing is None
        else [programme.benefit(code) for code in rules.benefits(programme, standing)],
        "restrictions": []
        if standing is None
        else [programme.benefit(code) for code in standing.restrictions],
        "ahead": [
            {
                "standing": standing_words(programme, one.status, one.tier),
                "from": one.valid.lower,
            }
            for one in ahead
        ],
        "moves": [
            one
            for one in available
            if not one.urgent
            and may(actor, one.proposes, trader)
            and may_here(trader, Permission.DETERMINATION_PROPOSE)
        ],
        "urgent": any(one.urgent and may(actor, one.proposes, trader) for one in available),
    }

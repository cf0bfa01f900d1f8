"""A case: what every tab of it shows, its summary, and its history."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.advance_data.measured import signal_for
from app.advance_data.shown_score import SIGNAL_WORDS
from app.applications.models import Application
from app.authz.permissions import Permission
from app.casework import queries
from app.casework.models import Case, InformationRequest
from app.casework.rules.dossier import Dossier
from app.casework.rules.recommending import Gates
from app.casework.views.frame import blueprint, is_me, may_here, note_file
from app.casework.views.sentences import sentence
from app.casework.views.words import (
    STATUS_TONES,
    Tag,
    age,
    banner,
    due_tag,
    standing_words,
    who,
)
from app.register.models import Determination
from app.register.programme import PROGRAMMES
from app.traders.models import Trader
from app.web.access import requires
from app.web.banners import Banner
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work

AREA_LABELS = {
    "case": _l("Case and standing"),
    "verdicts": _l("Verdicts"),
    "application": _l("Application"),
    "company": _l("Company"),
    "all": _l("Everything"),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that somebody looks at, with everything that each of its tabs needs."""

    case: Case
    trader: Trader
    application: Application
    dossier: Dossier
    gates: Gates
    request: InformationRequest | None
    proposal: Determination | None

    @property
    def mine(self) -> bool:
        """Whether the person who looks holds the case and may work on it."""
        return is_me(self.case.assignee_id) and may_here(self.case, Permission.CASE_REVIEW)

    @property
    def judging(self) -> bool:
        """Whether verdicts can be given now."""
        return self.mine and "release" in self.case.available()

    def offers(self, name: str) -> bool:
        """Whether the page may offer the move `name` of the case to this person."""
        return self.mine and name in self.case.available()


def opened(case_id: uuid.UUID, page: str, permission: Permission = Permission.CASE_VIEW) -> Opened:
    """The case in the address; looking at it is recorded."""
    case = queries.visible_case(current_work(), case_id, permission)
    note_file(case, "case", f"{case.reference} {page}")
    return looked_up(case)


def looked_up(case: Case) -> Opened:
    """Everything about a case as it is now."""
    work = current_work()
    frozen = queries.dossier(work, case)
    return Opened(
        case=case,
        trader=work.session.get_one(Trader, case.trader_id),
        application=work.session.get_one(Application, case.application_id),
        dossier=frozen,
        gates=queries.gates(work, case, frozen),
        request=queries.open_request(work.session, case),
        proposal=queries.proposal_of(work.session, case),
    )


def frame(found: Opened, tab: str) -> dict[str, Any]:
    """What the head of every tab shows."""
    work, case, gates = current_work(), found.case, found.gates
    counts: dict[str, int | None] = {
        "answers": gates.to_judge or None,
        "identifiers": gates.identifiers_claimed or None,
        "requests": 1 if found.request else None,
    }
    labels = {
        "case": gettext("Summary"),
        "answers": gettext("Answers"),
        "identifiers": gettext("Identifiers"),
        "requests": gettext("Requests"),
        "decision": gettext("Decision"),
        "history": gettext("History"),
    }
    top: Banner = banner(case, work.actor, found.request, found.proposal)
    reviews = may_here(case, Permission.CASE_REVIEW)
    signs = may_here(case, Permission.DETERMINATION_APPROVE)
    available = case.available()
    return {
        "case": case,
        "trader": found.trader,
        "application": found.application,
        "gates": gates,
        "banner": top,
        "holder": who(case, work.actor),
        "due": due_tag(case, work.now.date()),
        "mine": found.mine,
        "may_take": reviews and case.assignee_id is None and "take" in available,
        # Giving a case away is done on its first page alone, so that nobody does it in passing.
        "may_release": tab == "case"
        and (found.mine or (signs and case.assignee_id is not None))
        and "release" in available,
        "tabs": [
            {
                "label": label,
                "href": url_for(f"casework.{name}", case_id=case.id),
                "current": name == tab,
                "count": counts.get(name),
            }
            for name, label in labels.items()
        ],
    }


@blueprint.get("/cases/<uuid:case_id>")
@requires(Permission.CASE_VIEW)
def case(case_id: uuid.UUID) -> Response:
    """The summary: what is asked, what stands in the way, what the trader is today."""
    work, found = current_work(), opened(case_id, "summary")
    programme = PROGRAMMES[found.case.programme]
    tier = programme.tier(found.case.tier)
    standing = queries.standing_now(work, found.case)
    return render(
        "casework/case.html",
        **frame(found, "case"),
        programme=programme,
        data_signal=SIGNAL_WORDS[signal_for(work, found.case.trader_id)],
        tier=tier,
        age=age(found.case, work.now.date()),
        content=found.dossier.content,
        standing=None
        if standing is None
        else Tag(
            standing_words(programme, standing.status, standing.tier),
            STATUS_TONES[standing.status],
        ),
        next_step=_next_step(found),
    )


def _next_step(found: Opened) -> dict[str, str] | None:
    """The one thing that the reviewer who holds the case does next."""
    case_id, gates = found.case.id, found.gates
    if found.offers("recommend"):
        if gates.to_judge:
            label = gettext("Judge the next criterion")
            return {"label": label, "href": url_for("casework.next_to_judge", case_id=case_id)}
        if gates.returned:
            label = gettext("Ask the trader about what you returned")
            return {"label": label, "href": url_for("casework.ask", case_id=case_id)}
        label = gettext("Go to the decision")
        return {"label": label, "href": url_for("casework.decision", case_id=case_id)}
    proposal = found.proposal
    signs = may_here(found.case, Permission.DETERMINATION_APPROVE)
    if (
        proposal is not None
        and signs
        and "approve" in proposal.available()
        and not is_me(proposal.proposed_by)
    ):
        label = gettext("Countersign or decline")
        return {
            "label": label,
            "href": url_for("casework.determination", determination_id=proposal.id),
        }
    return None


@blueprint.get("/cases/<uuid:case_id>/history")
@requires(Permission.CASE_VIEW)
def history(case_id: uuid.UUID) -> Response:
    """What happened to the case, the application and the trader, in plain sentences."""
    work, found = current_work(), opened(case_id, "history")
    area = request.args.get("area", "case")
    events = paginate(work.session, queries.events_of(found.case.trader_id, area), page_number())
    here = url_for("casework.history", case_id=case_id)
    return render(
        "casework/history.html",
        **frame(found, "history"),
        page=events,
        events=[
            {"title": sentence(one), "by": one.actor_name, "at": one.at} for one in events.items
        ],
        areas=[
            {"label": label, "href": f"{here}?area={name}", "current": name == area}
            for name, label in AREA_LABELS.items()
        ],
    )

"""What an application says now, in the form in which it is frozen."""

from typing import Any

from sqlalchemy.orm import Session

from app.applications.models import Agreement, Application, EligibilityCheck
from app.applications.queries import rows
from app.applications.rules.frozen import Content, carried_over
from app.applications.rules.tasks import PROFILE
from app.assessments.models import Assessment
from app.assessments.snapshots import snapshot
from app.kernel.errors import NotFoundError
from app.register.programme import PROGRAMMES
from app.traders import queries as traders
from app.traders.models import Trader, TraderIdentifier
from app.traders.workflow import IdentifierState
from app.work import Work

FORMAT = 1


def present_content(work: Work, application: Application) -> Content:
    """Everything that submitting now would freeze, but the declaration and the time.

    What a return did not reopen stands as it was submitted. Identifiers are masked: a number of
    social-security form never gets here. Reads only.
    """
    session = work.session
    trader = session.get_one(Trader, application.trader_id)
    programme = PROGRAMMES[application.programme]
    tier = programme.tier(application.tier)
    earlier = rows.snapshot_of(session, application)
    content: Content = {
        "format": FORMAT,
        "reference": application.reference,
        "number": application.snapshot_count + 1,
        "programme": {"id": programme.id, "name": programme.name, "version": programme.version},
        "tier": {"number": application.tier, "name": "" if tier is None else tier.name},
        "trader_id": str(trader.id),
        "company": _company(trader),
        "identifiers": [
            _identifier(one)
            for one in traders.identifiers_of(session, trader.id)
            if one.state != IdentifierState.REFUSED
        ],
        "bonds": _bonds(session, trader),
        "contacts": _contacts(session, trader),
        "sites": _sites(session, trader),
        "eligibility": _eligibility(session, application),
        "assessment": snapshot(session, assessment_of(session, application)),
        "agreement": _agreement(rows.agreement_of(session, application)),
        "replies": _replies(session, application),
    }
    if earlier is None:
        return content
    return carried_over(content, earlier.content, application.reopened_tasks)


def assessment_of(session: Session, application: Application) -> Assessment:
    """The application's assessment."""
    found = session.get(Assessment, application.assessment_id)
    if found is None:
        raise NotFoundError
    return found


def _company(trader: Trader) -> Content:
    return {
        "name": trader.name,
        "entity_type": str(trader.entity_type),
        "entity_type_label": trader.entity_type.label,
        **_place(trader),
        "office_country": trader.office_country,
        "imported_within_year": trader.imported_within_year,
    }


def _place(row: Any) -> Content:  # noqa: ANN401 - any row with an address.
    return {
        "address_line": row.address_line,
        "city": row.city,
        "region": row.region,
        "postal_code": row.postal_code,
        "country": row.country,
    }


def _identifier(one: TraderIdentifier) -> Content:
    return {
        "scheme": str(one.scheme),
        "label": one.scheme.label,
        "shown": one.shown,
        "state": one.state,
    }


def _bonds(session: Session, trader: Trader) -> list[Content]:
    return [
        {
            "number": one.number,
            "surety": one.surety,
            "kind": one.kind.label,
            "activity_code": one.activity_code,
            "amount": str(one.amount),
            "valid_from": one.valid_from.isoformat(),
            "valid_until": None if one.valid_until is None else one.valid_until.isoformat(),
        }
        for one in traders.bonds_of(session, trader.id)
    ]


def _contacts(session: Session, trader: Trader) -> list[Content]:
    return [
        {
            "name": one.name,
            "role": one.role,
            "position": one.position.label,
            "email": one.email,
            "phone": one.phone,
            "is_primary": one.is_primary,
        }
        for one in session.scalars(traders.contacts_of(trader.id))
    ]


def _sites(session: Session, trader: Trader) -> list[Content]:
    return [
        {"name": one.name, "kind": one.kind.label, **_place(one)}
        for one in session.scalars(traders.sites_of(trader.id))
    ]


def _eligibility(session: Session, application: Application) -> Content:
    check = session.get_one(EligibilityCheck, application.check_id)
    return {
        "at": check.at.isoformat(),
        "rules_version": check.rules_version,
        "answers": list(check.answers),
    }


def _agreement(found: Agreement | None) -> Content | None:
    if found is None:
        return None
    return {
        "version": found.text_version,
        "text": found.text,
        "signed_name": found.signed_name,
        "signed_at": found.signed_at.isoformat(),
    }


def _replies(session: Session, application: Application) -> list[Content]:
    found = rows.replies_of(session, rows.current_return(session, application))
    return [{"task": task, "reply": found[task].reply} for task in PROFILE if task in found]

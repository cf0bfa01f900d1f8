"""Criteria: every version, what changes with one and for whom, and the two signatures under it."""

import uuid
from collections import Counter
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.casework.forms import DeclineCriteriaForm, ProposeCriteriaForm, PublishCriteriaForm
from app.casework.queries import criteria
from app.casework.views.criteria_words import CLASSES, ORDER, STATES, sides, state_of
from app.casework.views.frame import back_to, blueprint, is_me, page
from app.catalogues.comparison import Difference, differences
from app.catalogues.loader import catalogues as shipped
from app.catalogues.model import Catalogue, UnknownIdError
from app.kernel.errors import NotFoundError
from app.publications import queries, service
from app.publications.models import Publication
from app.publications.workflow import PublicationState
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.requests import current_work

VERSION = "/catalogues/<catalogue_id>/<version>"
ONE = "/catalogues/publications/<uuid:publication_id>"


@blueprint.get("/catalogues")
@requires(Permission.CASE_VIEW)
def catalogues() -> Response:
    """Every version, and what was ever proposed."""
    work = current_work()
    found = queries.publications(work.session)
    live = {
        (one.catalogue_id, one.version): one
        for one in found
        if PublicationState(one.state) in queries.LIVE
    }
    known = {(one.id, one.version): one for one in shipped()}
    for key in live:
        known.setdefault(key, queries.known_version(work.session, *key))
    versions = sorted(known.values(), key=lambda one: (one.title, one.effective), reverse=False)
    return render(
        "casework/catalogues/index.html",
        versions=[
            (one, *state_of(one, live.get((one.id, one.version)), work.now.date()))
            for one in versions
        ],
        publications=[(one, *STATES[PublicationState(one.state)]) for one in found],
        altered=queries.altered_here(work.session),
    )


@blueprint.get(VERSION)
@requires(Permission.CASE_VIEW)
def catalogue(catalogue_id: str, version: str) -> Response:
    """One version: what changes, whose drafts and tiers it touches, and what is to be decided."""
    return _shown(_version(catalogue_id, version))


@blueprint.post(f"{VERSION}/propose")
@requires(Permission.CATALOGUE_PROPOSE)
def propose_catalogue(catalogue_id: str, version: str) -> Response | BaseResponse:
    """Propose a shipped version, which another person has to publish."""
    found = _version(catalogue_id, version)
    form = ProposeCriteriaForm()

    def act() -> None:
        service.propose(
            current_work(),
            key=form.row_id,
            raw=service.shipped_bytes(found.id, found.version),
            name=f"{found.id}-{found.version}.yaml",
            note=form.note.data or "",
        )

    if form.done(act):
        message = gettext("Proposed. Nothing changes until another person has published it.")
        return _to(found, message)
    return _shown(found, proposing=form)


@blueprint.post(f"{ONE}/publish")
@requires(Permission.CATALOGUE_APPROVE)
def publish_catalogue(publication_id: uuid.UUID) -> Response | BaseResponse:
    """Give the second signature."""
    publication, found = _publication(publication_id, Permission.CATALOGUE_APPROVE)
    form = PublishCriteriaForm(prefix="publish")
    if publication.state == PublicationState.PUBLISHED and is_me(publication.decided_by):
        # A second click on the same button is no second signature, and no mistake either.
        return _to(found)
    if (
        form.validate_on_submit()
        and form.confirm()
        and form.attempt(lambda: service.publish(current_work(), publication))
    ):
        return _to(found, gettext("Published. Traders with open drafts are told."))
    return _shown(found, publishing=form)


@blueprint.post(f"{ONE}/decline")
@requires(Permission.CATALOGUE_APPROVE)
def decline_catalogue(publication_id: uuid.UUID) -> Response | BaseResponse:
    """Refuse the second signature, with a reason for the proposer."""
    publication, found = _publication(publication_id, Permission.CATALOGUE_APPROVE)
    form = DeclineCriteriaForm(prefix="decline")

    def act() -> None:
        service.decline(current_work(), publication, reason=form.reason.data or "")

    if form.done(act):
        return _to(found, gettext("Declined. Nothing has changed."))
    return _shown(found, declining=form)


@blueprint.post(f"{ONE}/withdraw")
@requires(Permission.CATALOGUE_PROPOSE)
def withdraw_catalogue(publication_id: uuid.UUID) -> BaseResponse:
    """Take back one's own proposal while nobody has decided on it."""
    publication, found = _publication(publication_id, Permission.CATALOGUE_PROPOSE)
    service.withdraw(current_work(), publication)
    return _to(found, gettext("Taken back. Nothing has changed."))


def _version(catalogue_id: str, version: str) -> Catalogue:
    try:
        return queries.known_version(current_work().session, catalogue_id, version)
    except UnknownIdError:
        raise NotFoundError from None


def _publication(
    publication_id: uuid.UUID, permission: Permission
) -> tuple[Publication, Catalogue]:
    found = queries.visible_publication(current_work(), publication_id, permission)
    return found, _version(found.catalogue_id, found.version)


def _shown(
    found: Catalogue,
    *,
    proposing: ProposeCriteriaForm | None = None,
    publishing: PublishCriteriaForm | None = None,
    declining: DeclineCriteriaForm | None = None,
) -> Response:
    work = current_work()
    publication = queries.live(work.session, found.id, found.version)
    waits = publication is not None and publication.state == PublicationState.PROPOSED
    mine = publication is not None and is_me(publication.proposed_by)
    words, tone = state_of(found, publication, work.now.date())
    sent: Form | None = proposing or publishing or declining
    return page(
        "catalogues/show.html",
        sent if sent is not None else PublishCriteriaForm(None),
        catalogue=found,
        publication=publication,
        state=words,
        tone=tone,
        waits=waits,
        mine=mine,
        may_propose=publication is None
        and (found.id, found.version) in {(one.id, one.version) for one in shipped()}
        and may_ever(work.actor, Permission.CATALOGUE_PROPOSE),
        may_sign=waits and not mine and may_ever(work.actor, Permission.CATALOGUE_APPROVE),
        may_withdraw=waits and mine,
        propose_form=proposing or ProposeCriteriaForm(None),
        publish_form=publishing or PublishCriteriaForm(None, prefix="publish"),
        decline_form=declining or DeclineCriteriaForm(None, prefix="decline"),
        **_effects(found),
    )


def _effects(found: Catalogue) -> dict[str, Any]:
    """What changes, class by class and section by section, and whom it touches."""
    work = current_work()
    session = work.session
    before = None if found.previous is None else _version(found.id, found.previous)
    changes = [] if before is None else differences(before.content, found.content)
    counts = Counter(one.change for one in changes)
    partners = criteria.partner_ids(session, found, work.now) if before is not None else ()
    judged = criteria.judged(session, found, partners[: criteria.AT_ONCE], work.now)
    return {
        "before": before,
        "counts": [(CLASSES[one], counts[one]) for one in ORDER if counts[one]],
        "sections": _by_section(found, changes),
        "touched": criteria.touched(session, found) if before is not None else [],
        "partners": len(partners),
        "looked_at": min(len(partners), criteria.AT_ONCE),
        "judged": judged,
        "changing": [one for one in judged if one.changes],
    }


def _by_section(found: Catalogue, changes: list[Difference]) -> list[tuple[str, list[Any]]]:
    titles = {section.id: section.title for section in found.sections}
    grouped: dict[str, list[Any]] = {}
    for one in changes:
        grouped.setdefault(one.section, []).append((one, CLASSES[one.change], sides(one)))
    return [(f"{section}. {titles[section]}", rows) for section, rows in grouped.items()]


def _to(found: Catalogue, message: str = "") -> BaseResponse:
    return back_to("catalogue", message, catalogue_id=found.id, version=found.version)

"""What the pages of an assessment share: the blueprint, the assessment in the address, ways on."""

import uuid
from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import queries
from app.assessments.models import Assessment
from app.authz.permissions import Permission
from app.authz.policy import may
from app.web.requests import current_work

blueprint = Blueprint("assessments", __name__)

ADDRESS = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>"


def own(trader_id: uuid.UUID, assessment_id: uuid.UUID, permission: Permission) -> Assessment:
    """The assessment in the address, when the actor holds the permission on it."""
    return queries.visible_assessment(current_work(), trader_id, assessment_id, permission)


def may_prepare(assessment: Assessment) -> bool:
    """Whether the actor may write to the assessment at all."""
    return may(current_work().actor, Permission.APPLICATION_PREPARE, assessment)


def writable(assessment: Assessment, section_id: str) -> bool:
    """Whether the actor can write to the section now."""
    return may_prepare(assessment) and assessment.editable(section_id)


def go(page: str, assessment: Assessment, **values: Any) -> BaseResponse:  # noqa: ANN401
    """On to another page of the assessment."""
    own: dict[str, Any] = {"trader_id": assessment.trader_id, "assessment_id": assessment.id}
    return redirect(url_for(f"assessments.{page}", **own, **values), code=HTTPStatus.SEE_OTHER)


def application_address(assessment: Assessment) -> str:
    """The task list above this assessment; the overview where applications are not installed."""
    endpoint = "applications.of_assessment"
    if endpoint not in current_app.view_functions:
        endpoint = "assessments.overview"
    return url_for(endpoint, trader_id=assessment.trader_id, assessment_id=assessment.id)

"""The whole way of an application through the services, on PostgreSQL."""

import pytest
from sqlalchemy import select

from app.applications import queries
from app.applications.rules.frozen import digest
from app.audit.models import AuditEvent
from tests.factories.applications import (
    make_applicant,
    make_application,
    make_ready,
    submit,
)
from tests.factories.traders import acting

pytestmark = pytest.mark.usefixtures("app")


def events_about(work, application):
    work.session.flush()
    return list(
        work.session.scalars(
            select(AuditEvent.tag)
            .where(AuditEvent.subject_id == application.id)
            .order_by(AuditEvent.id)
        )
    )


def test_from_check_to_receipt(work):
    trader, officer = make_applicant(work)
    own = acting(work, officer)
    application = make_application(own, trader)
    assert application.reference.startswith("AP-2026-")
    make_ready(own, application)
    assert queries.unmet(own, application) == ()
    snapshot = submit(own, application)
    assert application.state == "submitted"
    assert snapshot.sha256 == digest(snapshot.content)
    assert events_about(work, application) == [
        "application:started",
        "application:agreement-signed",
        "application:submitted",
    ]

"""The one readable table: when this event is recorded, do that, in the same transaction.

Facts travel down by plain calls; this is the only way up. A reaction takes the unit of work and
the event, and calls one service. Anything slow becomes a job, enqueued in the same transaction.
"""

import uuid

from app.advance_data import quality_tasks
from app.api_access import service as api_access
from app.applications import service as applications
from app.applications.models import Application
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.casework import service as casework
from app.delegations import tasks as delegations
from app.identity.models import ApiClient, ClientCredential
from app.publications.models import Publication
from app.register import service as register
from app.register.models import Determination
from app.work import Reaction, Work


def _open_case(work: Work, event: AuditEvent) -> None:
    casework.open_case(work, work.session.get_one(Application, event.subject_id))


def _receive_answer(work: Work, event: AuditEvent) -> None:
    casework.receive_answer(work, work.session.get_one(Application, event.subject_id))


def _close_case(work: Work, event: AuditEvent) -> None:
    casework.close_withdrawn(work, work.session.get_one(Application, event.subject_id))


def _conclude_case(work: Work, event: AuditEvent) -> None:
    casework.conclude(work, work.session.get_one(Determination, event.subject_id))


def _send_case_back(work: Work, event: AuditEvent) -> None:
    casework.send_back(work, work.session.get_one(Determination, event.subject_id))


def _tell_of_suspension(work: Work, event: AuditEvent) -> None:
    casework.tell_of_suspension(work, work.session.get_one(Determination, event.subject_id))


def _number_the_change(work: Work, event: AuditEvent) -> None:
    if event.trader_id is not None:
        register.note_identifier_change(work, event.trader_id)


def _tell_of_client(work: Work, event: AuditEvent) -> None:
    api_access.tell_of_client(work, event, work.session.get_one(ApiClient, event.subject_id))


def _tell_of_credential(work: Work, event: AuditEvent) -> None:
    credential = work.session.get_one(ClientCredential, event.subject_id)
    client = work.session.get_one(ApiClient, credential.api_client_id)
    api_access.tell_of_client(work, event, client)


def _tell_of_delegation(work: Work, event: AuditEvent) -> None:
    delegations.tell_later(work, event.subject_id, event.tag)


def _tell_of_criteria(work: Work, event: AuditEvent) -> None:
    applications.tell_of_criteria(work, work.session.get_one(Publication, event.subject_id))


def _measure_batch(work: Work, event: AuditEvent) -> None:
    quality_tasks.measure_later(work, event.subject_id)


def _measure_filing(work: Work, event: AuditEvent) -> None:
    quality_tasks.measure_later(work, uuid.UUID(event.data["batch_id"]))


REACTIONS: dict[EventTag, tuple[Reaction, ...]] = {
    EventTag.BATCH_CHECKED: (_measure_batch,),
    EventTag.VOYAGE_TOLD: (_measure_filing,),
    EventTag.CLIENT_CREATED: (_tell_of_client,),
    EventTag.CLIENT_REVOKED: (_tell_of_client,),
    EventTag.CLIENT_SUSPENDED: (_tell_of_client,),
    EventTag.CLIENT_WOKEN: (_tell_of_client,),
    EventTag.CLIENT_WARNED: (_tell_of_client,),
    EventTag.CLIENT_QUOTA_SET: (_tell_of_client,),
    EventTag.CREDENTIAL_ADDED: (_tell_of_credential,),
    EventTag.CREDENTIAL_ENDED: (_tell_of_credential,),
    EventTag.DELEGATION_OFFERED: (_tell_of_delegation,),
    EventTag.DELEGATION_ASKED: (_tell_of_delegation,),
    EventTag.DELEGATION_ACCEPTED: (_tell_of_delegation,),
    EventTag.DELEGATION_DECLINED: (_tell_of_delegation,),
    EventTag.DELEGATION_REVOKED: (_tell_of_delegation,),
    EventTag.CATALOGUE_PUBLISHED: (_tell_of_criteria,),
    EventTag.APPLICATION_SUBMITTED: (_open_case,),
    EventTag.APPLICATION_RESUBMITTED: (_receive_answer,),
    EventTag.APPLICATION_WITHDRAWN: (_close_case,),
    EventTag.DETERMINATION_APPROVED: (_conclude_case,),
    EventTag.DETERMINATION_DECLINED: (_send_case_back,),
    EventTag.DETERMINATION_WITHDRAWN: (_send_case_back,),
    EventTag.PARTNER_SUSPENDED_URGENTLY: (_tell_of_suspension,),
    # Who holds an identifier decides what the status API answers, so the feed counts it too.
    EventTag.IDENTIFIER_VERIFIED: (_number_the_change,),
    EventTag.IDENTIFIER_REFUSED: (_number_the_change,),
    EventTag.IDENTIFIER_WITHDRAWN: (_number_the_change,),
}

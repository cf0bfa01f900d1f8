"""Imports every table, so that the metadata is whole for the mapper and for migrations."""

from app.advance_data import models as advance_data
from app.applications import models as applications
from app.assessments import models as assessments
from app.audit import models as audit
from app.casework import models as casework
from app.comments import models as comments
from app.db import references
from app.db.base import Base
from app.delegations import models as delegations
from app.documents import models as documents
from app.facilitation import models as facilitation
from app.identity import models as identity
from app.identity.oidc import models as oidc
from app.notifications import models as notifications
from app.plans import models as plans
from app.publications import models as publications
from app.register import models as register
from app.status_api import models as status_api
from app.successions import models as successions
from app.traders import models as traders
from app.verifications import models as verifications
from app.webhooks import models as webhooks

__all__ = [
    "Base",
    "advance_data",
    "applications",
    "assessments",
    "audit",
    "casework",
    "comments",
    "delegations",
    "documents",
    "facilitation",
    "identity",
    "notifications",
    "oidc",
    "plans",
    "publications",
    "references",
    "register",
    "status_api",
    "successions",
    "traders",
    "verifications",
    "webhooks",
]

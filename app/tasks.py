"""Imports every feature's tasks, so that a worker knows the jobs it may be handed."""

from app.advance_data import quality_tasks
from app.advance_data import tasks as advance_data
from app.delegations import tasks as delegations
from app.documents import tasks as documents
from app.identity import tasks as identity
from app.notifications import tasks as notifications
from app.status_api import tasks as status_api
from app.verifications import tasks as verifications
from app.webhooks import tasks as webhooks

__all__ = [
    "advance_data",
    "delegations",
    "documents",
    "identity",
    "notifications",
    "quality_tasks",
    "status_api",
    "verifications",
    "webhooks",
]

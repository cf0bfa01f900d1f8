"""Acts that bind the company are the officer's alone, whatever page or program they come from."""

from app.applications.models import Application
from app.authz.permissions import Permission
from app.authz.policy import may
from app.kernel.errors import NotAllowedError
from app.work import Work


def officer_only(work: Work, application: Application) -> None:
    """`NotAllowedError` unless the actor is an officer of the application's trader."""
    if not may(work.actor, Permission.APPLICATION_SUBMIT, application):
        raise NotAllowedError("Only an officer of the company can do this.")

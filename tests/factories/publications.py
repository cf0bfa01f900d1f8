"""Versions of catalogues, published by two people, also ones with every class of change."""

from functools import cache

from app.authz.actor import AgencyRole
from app.identity.models import Person
from app.publications import service
from app.publications.models import Publication
from app.work import Work
from tests.factories.casework import make_staff
from tests.factories.successions import as_staff

NOTE = "The questions of before could not be judged."


@cache
def shipped(catalogue_id: str = "importer", version: str = "2026.2") -> bytes:
    """The bytes of a shipped file."""
    return service.shipped_bytes(catalogue_id, version)


def propose_version(
    work: Work, by: Person, raw: bytes | None = None, *, name: str = "criteria.yaml"
) -> Publication:
    """Propose a file as `by`; importers' 2026.2 when none is given."""
    return service.propose(
        as_staff(work, by), key=work.new_id(), raw=raw or shipped(), name=name, note=NOTE
    )


def publish_version(
    work: Work, raw: bytes | None = None, *, by: Person | None = None, second: Person | None = None
) -> Publication:
    """Published at once: proposed by a programme manager, signed by a supervisor."""
    proposer = by or make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Proposes")
    signer = second or make_staff(work, AgencyRole.SUPERVISOR, "Grace Signs")
    found = propose_version(work, proposer, raw)
    service.publish(as_staff(work, signer), found)
    work.session.flush()
    return found

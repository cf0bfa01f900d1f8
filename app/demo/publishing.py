"""New criteria: proposed by the programme manager, published by a supervisor."""

import uuid

from app.demo.script import Script
from app.demo.stage import Stage
from app.publications import service
from app.publications.models import Publication

MANAGER = "programme-manager"
SUPERVISOR = "supervisor"


def publish(
    script: Script, days: tuple[float, float], catalogue_id: str, version: str, note: str
) -> None:
    """Proposed on the first of the days and published on the second."""
    made: list[uuid.UUID] = []

    def proposes(stage: Stage) -> None:
        with stage.work(by=MANAGER) as work:
            found = service.propose(
                work,
                key=work.new_id(),
                raw=service.shipped_bytes(catalogue_id, version),
                name=f"{catalogue_id}-{version}.yaml",
                note=note,
            )
            made.append(found.id)

    def signs(stage: Stage) -> None:
        with stage.work(by=SUPERVISOR) as work:
            service.publish(work, work.session.get_one(Publication, made[0]))

    proposed, signed = days
    script.add(proposed, proposes)
    script.add(signed, signs)

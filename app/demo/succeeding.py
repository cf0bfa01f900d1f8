"""A new officer, whom a reviewer has proposed and a supervisor has still to approve."""

import io

from app.demo import papers
from app.demo.cast import Company
from app.demo.script import Script
from app.demo.stage import Stage
from app.documents.models import DocumentRevision
from app.documents.service import pass_unscanned
from app.successions import service
from app.successions.rules import Proposal
from app.successions.workflow import Fate, Ground


def propose(script: Script, days: float, company: Company, *, by: str, name: str) -> None:
    """The company's officer has left without naming anybody; its owner has written."""

    def proposes(stage: Stage) -> None:
        with stage.work(by=by) as work:
            found = service.propose(
                work,
                stage.trader(work, company.key),
                Proposal(
                    ground=Ground.LEFT,
                    fate=Fate.END,
                    reason=f"The owner of {company.name} wrote that {company.officer.name} left"
                    " last month. I called the owner back on the number in the register.",
                    officer_name=name,
                    officer_email=_address(company, name),
                ),
                key=work.new_id(),
                filename=f"letter-{company.key}.pdf",
                stream=io.BytesIO(_letter(company, name)),
            )
            # What the worker would find out: this installation has no scanner.
            pass_unscanned(work, work.session.get_one(DocumentRevision, found.evidence_id))

    script.add(days, proposes)


def _address(company: Company, name: str) -> str:
    domain = company.officer.email.rpartition("@")[2]
    return f"{name.lower().replace(' ', '.')}@{domain}"


def _letter(company: Company, name: str) -> bytes:
    return papers.pdf(
        f"Letter of {company.name}",
        f"{company.name}, {company.address}, {company.town}\n\n"
        f"{company.officer.name} has left our company and can no longer sign for it. Nobody else"
        f" of ours is an officer with you. Please appoint {name}.\n\nThe owner",
    )

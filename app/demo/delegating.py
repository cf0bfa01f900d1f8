"""Delegations: brokers that act for importers, and one of each kind of open question."""

import io
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from app.authz.actor import DelegationScope
from app.delegations import directory, service
from app.delegations.models import Delegation
from app.delegations.queries import grants_of
from app.delegations.service import AuthorityFile
from app.delegations.workflow import Side
from app.demo import papers
from app.demo.cast import Company
from app.demo.script import Script
from app.demo.stage import Stage
from app.documents.models import DocumentRevision
from app.documents.service import pass_unscanned
from app.work import Work

YEAR = timedelta(days=364)
NAMES = {
    DelegationScope.PREPARE: "prepare its applications to the partnership programmes",
    DelegationScope.SUBMIT: "file its advance data",
    DelegationScope.STATUS: "see its standing",
    DelegationScope.RESPOND: "answer the agency's requests for information",
    DelegationScope.DATA: "see its advance data",
}


def offer(
    script: Script,
    days: float,
    client: Company,
    broker: Company,
    scopes: Collection[DelegationScope],
    *,
    accepted_after: float | None = None,
) -> None:
    """The client's officer offers, with the signed paper; the broker's accepts some days later."""
    made: list[Delegation] = []

    def offers(stage: Stage) -> None:
        with stage.work(by=client.officer.key) as work:
            found = _propose(stage, work, client, broker, scopes, Side.TRADER)
            made.append(found)
            assert found.authority_revision_id is not None  # noqa: S101 - it was just attached.
            revision = work.session.get_one(DocumentRevision, found.authority_revision_id)
            # What the worker would find out: this installation has no scanner.
            pass_unscanned(work, revision)

    def accepts(stage: Stage) -> None:
        with stage.work(by=broker.officer.key) as work:
            found = work.session.get_one(Delegation, made[0].id)
            service.accept(work, found, by=stage.trader(work, broker.key))

    script.add(days, offers)
    if accepted_after is not None:
        script.add(days - accepted_after, accepts)


def ask(
    script: Script,
    days: float,
    broker: Company,
    client: Company,
    scopes: Collection[DelegationScope],
) -> None:
    """The broker's officer asks; nobody has answered yet."""

    def asks(stage: Stage) -> None:
        with stage.work(by=broker.officer.key) as work:
            _propose(stage, work, client, broker, scopes, Side.BROKER)

    script.add(days, asks)


def acting_for_clients(work: Work) -> Work:
    """The same unit of work with the delegations that reach the person now."""
    grants = grants_of(work.session, dict(work.actor.appointments), work.now)
    return replace(work, actor=replace(work.actor, grants=grants))


def _propose(
    stage: Stage,
    work: Work,
    client: Company,
    broker: Company,
    scopes: Collection[DelegationScope],
    side: Side,
) -> Delegation:
    today = work.now.date()
    return service.propose(
        work,
        _party(stage, client),
        _party(stage, broker),
        key=work.new_id(),
        side=side,
        scopes=scopes,
        first_day=today,
        last_day=today + YEAR,
        authority=_paper(client, broker, scopes) if side is Side.TRADER else None,
    )


def _party(stage: Stage, company: Company) -> directory.Party:
    return directory.Party(stage.traders[company.key], company.name, company.kind)


def _paper(client: Company, broker: Company, scopes: Collection[DelegationScope]) -> AuthorityFile:
    wanted = "\n".join(f"  - {NAMES[one]}" for one in sorted(scopes))
    body = (
        f"{client.name}, {client.address}, {client.town}, lets {broker.name} act as its customs"
        f" broker and, in its name,\n\n{wanted}\n\n"
        "It covers all sites of the company and lasts one year, unless either side ends it earlier."
        " The broker may not hand it on.\n\n"
        f"Signed for the company: {client.officer.name}"
    )
    content = papers.pdf(f"Authority of {broker.name}", body)
    return AuthorityFile(f"authority-{broker.key}.pdf", io.BytesIO(content))

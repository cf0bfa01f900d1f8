"""An improvement plan in every state: promised, begun, overdue, done with its proof, given up."""

from datetime import timedelta

from app.applications.queries.content import assessment_of
from app.demo.applying import Bid
from app.demo.script import Script
from app.demo.stage import Stage
from app.documents import service as documents
from app.documents.queries import reusable
from app.plans import queries, service
from app.work import Work

PROMISES = (
    (
        "2.2",
        150,
        "Map the way of cargo from every factory to our warehouse, with the places of rest.",
    ),
    ("4.12", 30, "Test once a quarter that a backup can be restored, and keep the record."),
    ("9.16", 12, "Keep camera pictures for thirty days instead of ten."),
    ("11.2", 95, "Agree with the workers' council on background checks at the second warehouse."),
    ("12.4", 160, "Ask ten people after each training, and write down what they answered."),
)
"""Criterion, days from the promise to its day, and what is promised."""


def plan(script: Script, days: float, bid: Bid) -> None:
    """The officer promises, and three months later some of it has come true."""

    def promises(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            assessment = assessment_of(work.session, bid.of(stage, work))
            for criterion_id, due_in, words in PROMISES:
                service.promise(
                    work,
                    assessment,
                    promises={criterion_id: words},
                    owner_id=stage.people[bid.company.officer.key],
                    due_on=(work.now + timedelta(days=due_in)).date(),
                )

    def goes_on(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            _go_on(work, bid, stage)

    script.add(days, promises)
    script.add(days - 5, goes_on)


def _go_on(work: Work, bid: Bid, stage: Stage) -> None:
    assessment = assessment_of(work.session, bid.of(stage, work))
    found = queries.plan_of(work.session, assessment.id)
    if found is None:
        msg = f"{bid.key} has promised nothing."
        raise LookupError(msg)
    actions = {one.criterion_id: one for one in queries.actions_of(work.session, found)}
    service.begin(work, actions["2.2"])
    proof, contract = reusable(work.session, found.trader_id)[:2]
    service.finish(work, actions["4.12"], proof=proof)
    service.drop(work, actions["11.2"], reason="The second warehouse closes in spring.")
    service.share(work, found)
    ends = (work.now + timedelta(days=75)).date()
    documents.describe(work, contract, expires_on=ends, confidential=True)

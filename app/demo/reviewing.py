"""The agency's side of an application: taking the case, judging, asking, recommending, signing."""

from datetime import timedelta
from functools import partial

from sqlalchemy import select

from app.casework import queries, service
from app.casework.models import Case
from app.demo.applying import Bid
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.texts import read
from app.register import queries as register_queries
from app.register import service as register
from app.register.models import Determination
from app.work import Work

REMARKS = "remarks"
NOTED = 0.15
"""How often a reviewer leaves a note with a criterion that is fine."""


def take(script: Script, days: float, bid: Bid, by: str) -> None:
    """A reviewer takes the case."""

    def takes(stage: Stage) -> None:
        with stage.work(by=by) as work:
            service.take(work, _case(stage, work, bid))

    script.add(days, takes)


def judge(
    script: Script,
    days: float,
    bid: Bid,
    by: str,
    *,
    first: int | None = None,
    returned: tuple[str, ...] = (),
) -> None:
    """Judge the criteria that still have to be judged, or the `first` of them.

    `returned` are found wanting, with the remark that stands in `remarks.yaml`; whatever else was
    returned before is accepted now.
    """
    script.add(days, partial(_judge, bid=bid, by=by, first=first, returned=returned))


def _judge(
    stage: Stage, *, bid: Bid, by: str, first: int | None, returned: tuple[str, ...]
) -> None:
    with stage.work(by=by) as work:
        case = _case(stage, work, bid)
        dossier = queries.dossier(work, case)
        wanting = read(REMARKS)["returned"][dossier.catalogue[0]]
        notes = read(REMARKS)["accepted"]
        random = bid.company.random(f"verdicts/{bid.key}/{dossier.number}")
        before = queries.reviews_of(work.session, case)
        open_ones = [
            one
            for one in dossier.criteria()
            if one.id not in before or before[one.id].content_sha256 != one.fingerprint
        ]
        chosen = open_ones if first is None else open_ones[:first]
        chosen += [one for one in open_ones if one.id in returned and one not in chosen]
        for criterion in chosen:
            bad = criterion.id in returned
            note = random.choice(notes) if random.random() < NOTED else ""
            service.judge(
                work,
                case,
                key=work.new_id(),
                criterion_id=criterion.id,
                verdict="returned" if bad else "accepted",
                comment=wanting[criterion.id][0] if bad else note,
                snapshot_number=case.snapshot_number,
            )


def ask(
    script: Script,
    days: float,
    bid: Bid,
    by: str,
    *,
    criteria: tuple[str, ...],
    message: str,
    due_in: int = 30,
) -> None:
    """Give the named criteria back to the company, with a date."""

    def asks(stage: Stage) -> None:
        with stage.work(by=by) as work:
            case = _case(stage, work, bid)
            dossier = queries.dossier(work, case)
            words = read(REMARKS)["returned"][dossier.catalogue[0]]
            service.ask(
                work,
                case,
                key=work.new_id(),
                tasks=[],
                comments={one: words[one][0] for one in criteria},
                message=message,
                due_on=(work.now + timedelta(days=due_in)).date(),
                snapshot_number=case.snapshot_number,
            )

    script.add(days, asks)


def changes_for(catalogue_id: str, criteria: tuple[str, ...]) -> dict[str, str]:
    """What the company changed upon the remarks on these criteria."""
    words = read(REMARKS)["returned"][catalogue_id]
    return {one: words[one][1] for one in criteria}


def recommend(
    script: Script, days: float, bid: Bid, by: str, *, move: str, reason: str, text: str
) -> None:
    """Recommend how the case ends."""

    def recommends(stage: Stage) -> None:
        with stage.work(by=by) as work:
            service.recommend(
                work,
                _case(stage, work, bid),
                key=work.new_id(),
                move_id=move,
                reason_code=reason,
                reason_text=text,
            )

    script.add(days, recommends)


def approve(script: Script, days: float, bid: Bid, by: str = "supervisor") -> None:
    """The second signature."""

    def approves(stage: Stage) -> None:
        with stage.work(by=by) as work:
            register.approve(work, _proposal(stage, work, bid))

    script.add(days, approves)


def decline(script: Script, days: float, bid: Bid, reason: str) -> None:
    """The supervisor does not sign, and the case is in review again."""

    def declines(stage: Stage) -> None:
        with stage.work(by="supervisor") as work:
            register.decline(work, _proposal(stage, work, bid), reason=reason)

    script.add(days, declines)


def _case(stage: Stage, work: Work, bid: Bid) -> Case:
    found = queries.case_of(work.session, stage.applications[bid.key])
    if found is None:
        msg = f"{bid.key} was never submitted."
        raise LookupError(msg)
    return found


def _proposal(stage: Stage, work: Work, bid: Bid) -> Determination:
    case = _case(stage, work, bid)
    return work.session.scalars(
        select(Determination).where(
            Determination.case_id == case.id, register_queries.STATE == "proposed"
        )
    ).one()

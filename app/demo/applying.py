"""How companies apply: the check, the answers with their evidence, signing, submitting."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.applications import queries, service
from app.applications.agreements import agreement_for
from app.applications.eligibility import for_trader
from app.applications.models import Application
from app.applications.queries.content import assessment_of
from app.applications.rules.frozen import fingerprint
from app.assessments import service as assessments
from app.assessments.models import AnswerEvidence, Assessment
from app.assessments.queries import catalogue_of, evidence_of, sections_of
from app.assessments.rules import AnswerInput
from app.catalogues.model import Criterion, Section
from app.demo.answering import Answerer
from app.demo.cast import Company
from app.demo.founding import SECURITY
from app.demo.papers import Paper, papers
from app.demo.script import Play, Script
from app.demo.stage import Stage
from app.documents.models import DocumentRevision
from app.documents.service import pass_unscanned, store
from app.documents.workflow import ScanState
from app.traders.models import Trader
from app.work import Work

FEW = 3
"""How many of the written documents an ordinary applicant hands in, beside its own manual."""
SITTINGS = 3


@dataclass(slots=True)
class Bid:
    """One application of one company; `key` is the story's name for it.

    `thorough` hands in every written document. `files` and `manual` are kept as they come up.
    """

    company: Company
    key: str
    thorough: bool = False
    honest_gaps: float = 0.03
    files: dict[str, DocumentRevision] = field(default_factory=dict)
    manual: Paper | None = None

    def of(self, stage: Stage, work: Work) -> Application:
        """The application's row."""
        return work.session.get_one(Application, stage.applications[self.key])


def check(script: Script, days: float, company: Company, *, wrong: str | None = None) -> None:
    """The eligibility check; `wrong` names the question that is answered the other way."""

    def checks(stage: Stage) -> None:
        with stage.work(by=company.officer.key) as work:
            _check(work, stage.trader(work, company.key), wrong)

    script.add(days, checks)


def begin(script: Script, days: float, bid: Bid) -> None:
    """Check and start."""

    def starts(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            trader = stage.trader(work, bid.company.key)
            _check(work, trader, None)
            application = service.start(work, trader, programme=SECURITY)
            stage.applications[bid.key] = application.id

    script.add(days, starts)


def fill(
    script: Script, days: tuple[float, float], bid: Bid, *, share: float = 1.0, left: float = 0.0
) -> None:
    """Answer the sections in three sittings between two days.

    With a `share` below one, the last section that is touched is only half answered, and `left` is
    the part of the others that nobody has called complete.
    """
    first, last = days
    step = (first - last) / (SITTINGS - 1)
    for number in range(SITTINGS):
        script.add(first - step * number, _sitting(bid, number, share, left))


def _sitting(bid: Bid, number: int, share: float, left: float) -> Play:
    def sits(stage: Stage) -> None:
        with stage.work(by=bid.company.preparer.key) as work:
            application = bid.of(stage, work)
            assessment = assessment_of(work.session, application)
            sections = catalogue_of(assessment).sections_in(assessment.profile_id)
            # Rows that are held stay in the session, so that they are not built anew for each file.
            held = list(evidence_of(work.session, assessment.id).values())
            touched = round(len(sections) * share)
            size = -(-touched // SITTINGS)
            mine = sections[:touched][size * number : size * (number + 1)]
            for section in mine:
                position = sections.index(section)
                half = share < 1 and position == touched - 1
                complete = not half and position >= round(touched * left)
                held.append(_answer(work, assessment, bid, section, half=half, complete=complete))

    return sits


def sign_and_submit(script: Script, days: float, bid: Bid) -> None:
    """The officer signs the agreement, declares and submits."""

    def submits(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            application = bid.of(stage, work)
            sign(work, application)
            submit(work, application)

    script.add(days, submits)


def sign_only(script: Script, days: float, bid: Bid) -> None:
    """The agreement is signed, and nothing else."""

    def signs(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            sign(work, bid.of(stage, work))

    script.add(days, signs)


def withdraw(script: Script, days: float, bid: Bid) -> None:
    """The officer takes the application back."""

    def withdraws(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            service.withdraw(work, bid.of(stage, work))

    script.add(days, withdraws)


def answer_return(script: Script, days: float, bid: Bid, changes: dict[str, str]) -> None:
    """The company changes what was returned, and submits again.

    `changes` are the new words on each returned criterion.
    """

    def answers(stage: Stage) -> None:
        with stage.work(by=bid.company.officer.key) as work:
            application = bid.of(stage, work)
            assessment = assessment_of(work.session, application)
            catalogue = catalogue_of(assessment)
            by_section: dict[str, dict[str, AnswerInput]] = {}
            for criterion_id, words in changes.items():
                section = catalogue.section_of(criterion_id)
                lead = catalogue.criterion(criterion_id).questions[0]
                by_section.setdefault(section.id, {})[lead.id] = AnswerInput(how_met=words)
            for section_id, given in by_section.items():
                row = sections_of(work.session, assessment.id)[section_id]
                assessments.save_answers(
                    work, assessment, section_id, answers=given, expected_version=row.version
                )
            work.session.flush()
            for section_id in application.reopened_tasks:
                name = section_id.removeprefix("assessment:")
                if name != section_id:
                    assessments.complete_section(work, assessment, name)
            submit(work, application)

    script.add(days, answers)


def sign(work: Work, application: Application) -> None:
    """Sign the agreement as the actor."""
    service.sign_agreement(
        work,
        application,
        name=work.actor.name,
        agreed=True,
        version=agreement_for(application.programme).version,
    )
    work.session.flush()


def submit(work: Work, application: Application) -> None:
    """Declare and submit as the actor, who has looked at the page."""
    service.submit(
        work,
        application,
        key=work.new_id(),
        name=work.actor.name,
        declared=True,
        seen=fingerprint(queries.present_content(work, application)),
    )


def _check(work: Work, trader: Trader, wrong: str | None) -> None:
    eligibility = for_trader(SECURITY, trader.entity_type)
    if eligibility is None:
        msg = f"No programme is open for {trader.name}."
        raise LookupError(msg)
    answers: dict[str, str] = {one.id: one.passes for one in eligibility.questions}
    if wrong is not None:
        answers[wrong] = "no" if answers[wrong] == "yes" else "yes"
    service.check_eligibility(work, trader, key=work.new_id(), programme=SECURITY, answers=answers)


def _answer(
    work: Work, assessment: Assessment, bid: Bid, section: Section, *, half: bool, complete: bool
) -> list[AnswerEvidence]:
    """Answer a section and attach what supports it; the attachments, for who wants to hold them."""
    criteria = section.criteria[: -(-len(section.criteria) // 2)] if half else section.criteria
    support = _support(assessment, bid, criteria, work)
    answerer = Answerer(
        bid.company,
        assessment.catalogue_id,
        work.now.date(),
        f"{bid.key}/{section.id}",
        bid.honest_gaps,
    )
    titles = {criterion: paper.title for criterion, paper in support.items()}
    given: dict[str, AnswerInput] = {}
    for criterion in criteria:
        given.update(answerer.criterion(criterion, titles))
    assessments.save_answers(work, assessment, section.id, answers=given, expected_version=0)
    attached = [
        assessments.attach_evidence(
            work, assessment, criterion_id, _kept(work, assessment, bid, paper).id
        )
        for criterion_id, paper in support.items()
        if not half or criterion_id != criteria[-1].id
    ]
    work.session.flush()
    if complete:
        assessments.complete_section(work, assessment, section.id)
    return attached


def _support(
    assessment: Assessment, bid: Bid, criteria: Sequence[Criterion], work: Work
) -> dict[str, Paper]:
    """The paper that supports each criterion that needs one."""
    day = work.now.date()
    chosen = list(_shelf(bid))
    catalogue = catalogue_of(assessment)
    found = {}
    for criterion in criteria:
        fits = [one for one in chosen if criterion.id in one.criteria]
        musts = catalogue.modality(assessment.profile_id, criterion.id) == "must"
        if fits and (bid.thorough or (musts and criterion.evidence.min)):
            found[criterion.id] = fits[0].on(day)
        elif musts and criterion.evidence.min:
            bid.manual = bid.manual or _manual(bid, assessment, work)
            found[criterion.id] = bid.manual
    return found


def _shelf(bid: Bid) -> Iterable[Paper]:
    own = [one for one in papers() if one.owner == bid.company.key]
    common = [one for one in papers() if one.owner == "any"]
    if bid.thorough:
        return own + common
    return own + bid.company.random(f"shelf/{bid.key}").sample(common, FEW)


def _manual(bid: Bid, assessment: Assessment, work: Work) -> Paper:
    """The company's own manual, in which every criterion has its paragraph."""
    catalogue = catalogue_of(assessment)
    answerer = Answerer(bid.company, catalogue.id, work.now.date(), "manual", 0.0)
    lines = [bid.company.name.upper(), f"Security manual, edition {work.now.year}", ""]
    for section in catalogue.sections_in(assessment.profile_id):
        lines += ["", f"{section.id}  {section.title}"]
        for criterion in section.criteria:
            lines += ["", f"{criterion.id}  {criterion.title}", answerer.words(criterion.id)]
    return Paper(
        f"Security manual {work.now.year}",
        f"security-manual-{work.now.year}.pdf",
        (),
        work.now.date(),
        bid.company.key,
        "\n".join(lines),
    )


def _kept(work: Work, assessment: Assessment, bid: Bid, paper: Paper) -> DocumentRevision:
    """The paper among the trader's documents, stored at its first use."""
    if paper.filename not in bid.files:
        revision = store(
            work,
            assessment.trader_id,
            owner_kind=assessment.__tablename__,
            owner_id=assessment.id,
            filename=paper.filename,
            stream=io.BytesIO(paper.content()),
            title=paper.title,
            kind="evidence",
            reuse=True,
        )
        if revision.scan_state == ScanState.PENDING:
            # What the worker would find out: this installation has no scanner.
            pass_unscanned(work, revision)
            work.session.flush()
        bid.files[paper.filename] = revision
    return bid.files[paper.filename]

"""A gap report in words, put together once for page, workbook and PDF."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from app.assessments.rules import spoken
from app.catalogues.model import Question
from app.catalogues.rules import Result
from app.gaps.queries import Reported
from app.gaps.rules import CriterionGap, SectionProfile, Step, StepKind, TierStanding, Why, WhyKind
from app.web.filters import when

Href = Callable[[str, str], str]
"""The address of a criterion's place, by section id and criterion id."""

GATES = {
    Result.MET: (_l("Open"), "success"),
    Result.NOT_MET: (_l("Shut"), "danger"),
    Result.UNKNOWN: (_l("Not known yet"), "warning"),
    Result.DOES_NOT_APPLY: (_l("Open"), "success"),
}
RESULTS = {
    Result.MET: (_l("Met"), "success"),
    Result.NOT_MET: (_l("Not met"), "danger"),
    Result.UNKNOWN: (_l("Not known yet"), "warning"),
    Result.DOES_NOT_APPLY: (_l("Does not apply"), "neutral"),
}
EVIDENCE = {
    Result.MET: (_l("Enough"), "success"),
    Result.NOT_MET: (_l("Missing"), "danger"),
    Result.UNKNOWN: (_l("Not known yet"), "warning"),
    Result.DOES_NOT_APPLY: (_l("None asked for"), "neutral"),
}
MODALITIES = {"must": _l("Must"), "should": _l("Should")}


@dataclass(frozen=True, slots=True)
class Word:
    """Words, and the tone that repeats them."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class TierRow:
    """One tier's gate on the three measures."""

    tier: int
    sought: bool
    claimed: Word
    assessed: Word
    evidence: Word
    musts: str


@dataclass(frozen=True, slots=True)
class SectionRow:
    """One section: counts of what is claimed, and the share reached in whole per cent."""

    id: str
    title: str
    met: int
    not_met: int
    unknown: int
    total: int
    open_musts: int
    least: int
    most: int

    @property
    def reached(self) -> str:
        """The share in words: a range while something is unknown."""
        if self.least == self.most:
            return gettext("%(share)s %%", share=self.least)
        return gettext("%(least)s to %(most)s %%", least=self.least, most=self.most)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the cheapest way."""

    section_id: str
    criterion_id: str
    text: str
    note: str
    href: str


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Why one question does not meet its criterion; `required` and `current` in words."""

    question: str
    why: str
    required: str
    current: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """One criterion with something missing."""

    id: str
    title: str
    section_id: str
    section: str
    modality: str
    must: bool
    claimed: Word
    assessed: Word
    evidence: Word
    files: str
    missing: int
    effect: str
    reasons: tuple[ReasonRow, ...]
    href: str


@dataclass(frozen=True, slots=True)
class Group:
    """The steps and gaps of one section."""

    id: str
    title: str
    steps: tuple[StepRow, ...]
    gaps: tuple[GapRow, ...]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything that a gap report says, in its order."""

    title: str
    catalogue: str
    as_of: str
    headline: str
    body: str
    tone: str
    caution: str
    tiers: tuple[TierRow, ...]
    way_title: str
    way: str
    sections: tuple[SectionRow, ...]
    groups: tuple[Group, ...]

    @property
    def gaps(self) -> tuple[GapRow, ...]:
        """Every criterion with something missing, in the catalogue's order."""
        return tuple(one for group in self.groups for one in group.gaps)

    @property
    def steps(self) -> tuple[StepRow, ...]:
        """Every step of the cheapest way, in the catalogue's order."""
        return tuple(one for group in self.groups for one in group.steps)


def report_page(found: Reported, href: Href) -> ReportPage:
    """The report in words; `href` says where a criterion stands."""
    report = found.report
    sought = next(one for one in report.tiers if one.tier == report.sought)
    headline, body, tone = _headline(sought)
    steps = [_step(found, one, href) for one in report.path.steps]
    gaps = [_gap(found, one, href) for one in report.criteria if one.has_gap]
    sections = [one.section for one in report.sections]
    return ReportPage(
        title=gettext("Gap report"),
        catalogue=gettext(
            "%(title)s, version %(version)s",
            title=found.catalogue.title,
            version=found.catalogue.version,
        ),
        as_of=_as_of(found),
        headline=headline,
        body=body,
        tone=tone,
        caution=gettext(
            "This compares answers with the criteria. Only a decision of the agency gives a tier."
        ),
        tiers=tuple(_tier(one, report.sought) for one in report.tiers),
        way_title=_way_title(found),
        way=_way(found),
        sections=tuple(_section(one) for one in report.sections),
        groups=tuple(
            group
            for section in sections
            if (
                group := Group(
                    section.id,
                    section.title,
                    tuple(one for one in steps if one.section_id == section.id),
                    tuple(one for one in gaps if one.section_id == section.id),
                )
            ).gaps
            or group.steps
        ),
    )


def _as_of(found: Reported) -> str:
    at = when(found.at)
    if found.number is None:
        return gettext("The answers as they stood on %(at)s.", at=at)
    return gettext("Version %(number)s as submitted, read on %(at)s.", number=found.number, at=at)


def _headline(one: TierStanding) -> tuple[str, str, str]:
    if one.claimed is Result.MET and one.evidence is Result.MET:
        return (
            gettext("Every must of tier %(tier)s is claimed as met, with evidence", tier=one.tier),
            gettext("Nothing in the answers keeps its gate shut."),
            "success",
        )
    if one.claimed is Result.MET:
        return (
            gettext("Every must of tier %(tier)s is claimed as met", tier=one.tier),
            gettext("Some evidence is missing, out of date or still being scanned."),
            "warning",
        )
    title = ngettext(
        "%(num)d must of %(musts)s keeps the gate of tier %(tier)s shut",
        "%(num)d musts of %(musts)s keep the gate of tier %(tier)s shut",
        one.open_musts,
        tier=one.tier,
        musts=one.musts,
    )
    if one.claimed is Result.UNKNOWN:
        title = ngettext(
            "%(num)d must of %(musts)s for tier %(tier)s is not known yet",
            "%(num)d musts of %(musts)s for tier %(tier)s are not known yet",
            one.open_musts,
            tier=one.tier,
            musts=one.musts,
        )
    return title, gettext("No number of points makes up for a must."), "warning"


def _tier(one: TierStanding, sought: int) -> TierRow:
    return TierRow(
        tier=one.tier,
        sought=one.tier == sought,
        claimed=_word(GATES, one.claimed),
        assessed=_word(GATES, one.assessed),
        evidence=_word(GATES, one.evidence),
        musts=gettext("%(open)s of %(all)s", open=one.open_musts, all=one.musts),
    )


def _word(words: dict[Result, tuple[str, str]], result: Result) -> Word:
    text, tone = words[result]
    return Word(str(text), tone)


def _way_title(found: Reported) -> str:
    if found.report.next_tier is None:
        return gettext("The way on")
    return gettext("The shortest way to tier %(tier)s", tier=found.report.next_tier)


def _way(found: Reported) -> str:
    report = found.report
    if report.next_tier is None:
        return gettext("The answers claim every must of every tier. Keep the evidence in date.")
    if not report.path.reachable:
        return gettext("No answers open its gate: ask the agency about the claims that are open.")
    steps = ngettext("at least %(num)d step", "at least %(num)d steps", len(report.path.steps))
    kept = gettext("What is met, and what states a fact, stays as it is.")
    missing = sum(one.count for one in report.files)
    if not missing:
        return gettext("It takes %(steps)s and no further file.", steps=steps) + f" {kept}"
    files = ngettext("%(num)d file", "%(num)d files", missing)
    words = gettext(
        "It takes %(steps)s, and %(files)s of evidence for its musts.", steps=steps, files=files
    )
    return f"{words} {kept}"


def _section(one: SectionProfile) -> SectionRow:
    return SectionRow(
        id=one.section.id,
        title=one.section.title,
        met=one.claimed[Result.MET],
        not_met=one.claimed[Result.NOT_MET],
        unknown=one.claimed[Result.UNKNOWN],
        total=one.total,
        open_musts=one.open_musts,
        least=int(one.least * 100),
        most=int(one.most * 100),
    )


def _step(found: Reported, step: Step, href: Href) -> StepRow:
    question = found.catalogue.question(step.question_id)
    section = found.catalogue.section_of(step.criterion_id)
    said = spoken(question, step.value)
    if step.kind is StepKind.CLAIM:
        text = gettext("The agency accepts that this does not apply: %(text)s", text=question.text)
    elif step.kind is StepKind.REACH:
        text = gettext("Reach “%(answer)s”: %(text)s", answer=said, text=question.text)
    elif said:
        text = gettext("Answer, “%(answer)s” is enough: %(text)s", answer=said, text=question.text)
    else:
        text = gettext("Answer: %(text)s", text=question.text)
    note = gettext("Further questions can follow from the answer.") if step.opens else ""
    return StepRow(section.id, step.criterion_id, text, note, href(section.id, step.criterion_id))


def _gap(found: Reported, one: CriterionGap, href: Href) -> GapRow:
    return GapRow(
        id=one.criterion.id,
        title=one.criterion.title,
        section_id=one.section.id,
        section=one.section.title,
        modality=str(MODALITIES[one.modality]),
        must=one.modality == "must",
        claimed=_word(RESULTS, one.claimed),
        assessed=_word(RESULTS, one.assessed),
        evidence=_word(EVIDENCE, one.evidence.result),
        files=_files(one),
        missing=one.evidence.missing,
        effect=_effect(one, found.report.tiers),
        reasons=tuple(_reason(why) for why in one.why),
        href=href(one.section.id, one.criterion.id),
    )


def _files(one: CriterionGap) -> str:
    proof = one.evidence
    if not proof.wanted:
        return gettext("None asked for")
    words = gettext("%(usable)s of %(wanted)s", usable=proof.usable, wanted=proof.wanted)
    if proof.outdated:
        words += ngettext(", %(num)d out of date", ", %(num)d out of date", proof.outdated)
    return words


def _effect(one: CriterionGap, tiers: Sequence[TierStanding]) -> str:
    if not one.blocks and one.evidence.usable < one.evidence.wanted:
        return gettext("Shuts no gate by its answers; its evidence is not enough.")
    if not one.blocks:
        return gettext("Shuts no gate by its answers; it counts in the section's profile.")
    if len(one.blocks) == len(tiers):
        return gettext("Keeps the gate of every tier shut.")
    named = ", ".join(str(tier) for tier in one.blocks)
    return ngettext(
        "Keeps the gate of tier %(tiers)s shut.",
        "Keeps the gates of tiers %(tiers)s shut.",
        len(one.blocks),
        tiers=named,
    )


WHYS = {
    WhyKind.OPEN: _l("Not answered yet"),
    WhyKind.UNDETERMINED: _l("Hangs on a question that is open"),
    WhyKind.CLAIMED: _l("Claimed not to apply; the agency has not accepted that"),
    WhyKind.NOT_MET: _l("The answer does not meet it"),
    WhyKind.TOO_LOW: _l("The level is too low"),
}


def _reason(why: Why) -> ReasonRow:
    return ReasonRow(
        question=why.question.text,
        why=str(WHYS[why.kind]),
        required=_required(why.question, why.required),
        current=spoken(why.question, why.current) or gettext("Nothing"),
    )


def _required(question: Question, values: tuple[str, ...]) -> str:
    if not values:
        return gettext("Any answer")
    if question.type == "level":
        return gettext("At least “%(level)s”", level=spoken(question, values[0]))
    return gettext(" or ").join(spoken(question, one) for one in values)

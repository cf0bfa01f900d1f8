"""The gap report of one assessment: tiers, sections, criteria, and the way on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from app.catalogues.model import Catalogue, Criterion, Modality, Section
from app.catalogues.rules import Answers, Applicability, Result, applicable, criterion_result
from app.gaps.rules.measures import Evidence, File, Why, counted, evidence_result, reasons, share
from app.gaps.rules.path import Path, cheapest_path
from app.gaps.rules.tiers import gate, must_results, reached, tier_profiles

OPEN_RESULTS = frozenset({Result.NOT_MET, Result.UNKNOWN})


@dataclass(frozen=True, slots=True)
class TierStanding:
    """One tier's gate on each measure; `open_musts` counts the musts that claims leave open."""

    tier: int
    profile_id: str
    claimed: Result
    assessed: Result
    evidence: Result
    musts: int
    open_musts: int


@dataclass(frozen=True, slots=True)
class CriterionGap:
    """One criterion under the profile of the report.

    `blocks` are the tiers of whose gates it is a must that is not met by what is claimed; `why`
    the questions behind that, `share` what is reached at least and at most.
    """

    criterion: Criterion
    section: Section
    modality: Modality
    claimed: Result
    assessed: Result
    evidence: Evidence
    why: tuple[Why, ...]
    blocks: tuple[int, ...]
    share: tuple[float, float] | None

    @property
    def applies(self) -> bool:
        """Whether it counts at all."""
        return self.claimed is not Result.DOES_NOT_APPLY

    @property
    def has_gap(self) -> bool:
        """Whether an answer or a file is missing."""
        return self.claimed in OPEN_RESULTS or (
            self.applies and self.evidence.result in OPEN_RESULTS
        )


@dataclass(frozen=True, slots=True)
class SectionProfile:
    """One section: how its criteria stand on each measure, and the share reached, least and most."""

    section: Section
    claimed: Mapping[Result, int]
    assessed: Mapping[Result, int]
    evidence: Mapping[Result, int]
    open_musts: int
    least: float
    most: float

    @property
    def total(self) -> int:
        """The criteria that count or may count."""
        return sum(self.claimed.values()) - self.claimed[Result.DOES_NOT_APPLY]


@dataclass(frozen=True, slots=True)
class FilesMissing:
    """A must of the next tier that too few files support."""

    criterion_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What an assessment tells its company on a day.

    `sought` is the tier of the assessment's own profile. `claimed_tier`, `assessed_tier` and
    `evidence_tier` are the highest ones that each measure opens. `next_tier` is the lowest that
    what is claimed does not open, with the fewest answers (`path`) and the files (`files`) that it
    still takes; `None` when all are open.
    """

    sought: int
    tiers: tuple[TierStanding, ...]
    sections: tuple[SectionProfile, ...]
    criteria: tuple[CriterionGap, ...]
    claimed_tier: int | None
    assessed_tier: int | None
    evidence_tier: int | None
    next_tier: int | None
    path: Path
    files: tuple[FilesMissing, ...]

    @property
    def gaps(self) -> tuple[CriterionGap, ...]:
        """The criteria with something missing; those that shut the lowest gate come first."""
        found = [one for one in self.criteria if one.has_gap]
        return tuple(
            sorted(found, key=lambda one: (not one.blocks, one.blocks[0] if one.blocks else 0))
        )


def report(
    catalogue: Catalogue,
    profile_id: str,
    answers: Answers,
    files: Mapping[str, Iterable[File]],
    assessed: Mapping[str, Result],
    *,
    on: date,
) -> Report:
    """Compute the report of one assessment under its own profile.

    `files` and `assessed` are by criterion id; what the agency has said nothing about is unknown
    there, and what it has accepted makes a claim of not applying a fact.
    Raises `UnknownIdError` for a profile that the catalogue does not have.
    """
    profiles = tier_profiles(catalogue, profile_id)
    accepted = frozenset(key for key, one in assessed.items() if one is Result.MET)
    musts = {one.id: must_results(catalogue, one.id, answers, accepted) for one in profiles}
    applies = applicable(catalogue, profile_id, answers, accepted)
    kept = {key: tuple(several) for key, several in files.items()}
    proof = {
        criterion.id: evidence_result(
            criterion,
            applies.criteria.get(criterion.id, Applicability.DOES_NOT_APPLY),
            kept.get(criterion.id, ()),
            on,
        )
        for criterion in catalogue.criteria()
    }
    criteria = tuple(
        _criterion(
            catalogue,
            profile_id,
            section,
            criterion,
            claimed=criterion_result(catalogue, profile_id, criterion, applies, answers),
            assessed=assessed.get(criterion.id, Result.UNKNOWN),
            evidence=proof[criterion.id],
            why=reasons(catalogue, profile_id, criterion, applies, answers),
            blocks=tuple(
                one.tier
                for one in profiles
                if musts[one.id].get(criterion.id, Result.MET) in OPEN_RESULTS
            ),
            share=share(catalogue, profile_id, criterion, applies, answers),
        )
        for section in catalogue.sections_in(profile_id)
        for criterion in section.criteria
    )
    tiers = tuple(_tier(one.tier, one.id, musts[one.id], assessed, proof) for one in profiles)
    following = next((one for one in tiers if one.claimed is not Result.MET), None)
    path = Path(())
    if following is not None:
        path = cheapest_path(catalogue, following.profile_id, answers, accepted)
    return Report(
        sought=catalogue.profile(profile_id).tier,
        tiers=tiers,
        sections=tuple(
            _section(section, [one for one in criteria if one.section is section])
            for section in catalogue.sections_in(profile_id)
        ),
        criteria=criteria,
        claimed_tier=reached([(one.tier, one.claimed) for one in tiers]),
        assessed_tier=reached([(one.tier, one.assessed) for one in tiers]),
        evidence_tier=reached([(one.tier, one.evidence) for one in tiers]),
        next_tier=None if following is None else following.tier,
        path=path,
        files=()
        if following is None
        else tuple(
            FilesMissing(key, proof[key].missing)
            for key, result in musts[following.profile_id].items()
            if result is not Result.DOES_NOT_APPLY and proof[key].missing
        ),
    )


def _criterion(
    catalogue: Catalogue,
    profile_id: str,
    section: Section,
    criterion: Criterion,
    *,
    claimed: Result,
    assessed: Result,
    evidence: Evidence,
    why: tuple[Why, ...],
    blocks: tuple[int, ...],
    share: tuple[float, float] | None,
) -> CriterionGap:
    return CriterionGap(
        criterion=criterion,
        section=section,
        modality=catalogue.modality(profile_id, criterion.id),
        claimed=claimed,
        assessed=Result.DOES_NOT_APPLY if claimed is Result.DOES_NOT_APPLY else assessed,
        evidence=evidence,
        why=why,
        blocks=blocks,
        share=share,
    )


def _tier(
    tier: int,
    profile_id: str,
    musts: Mapping[str, Result],
    assessed: Mapping[str, Result],
    proof: Mapping[str, Evidence],
) -> TierStanding:
    asked = {key: one for key, one in musts.items() if one is not Result.DOES_NOT_APPLY}
    return TierStanding(
        tier=tier,
        profile_id=profile_id,
        claimed=gate(asked.values()),
        assessed=gate(assessed.get(key, Result.UNKNOWN) for key in asked),
        evidence=gate(proof[key].result for key in asked),
        musts=len(asked),
        open_musts=sum(one in OPEN_RESULTS for one in asked.values()),
    )


def _section(section: Section, criteria: Iterable[CriterionGap]) -> SectionProfile:
    own = list(criteria)
    shares = [one.share for one in own if one.share is not None]
    return SectionProfile(
        section=section,
        claimed=counted(one.claimed for one in own),
        assessed=counted(one.assessed for one in own),
        evidence=counted(one.evidence.result for one in own),
        open_musts=sum(one.modality == "must" and one.claimed in OPEN_RESULTS for one in own),
        least=sum(low for low, _ in shares) / len(shares) if shares else 0.0,
        most=sum(high for _, high in shares) / len(shares) if shares else 0.0,
    )

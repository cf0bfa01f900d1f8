"""The gates of tiers: every must met, on one measure at a time. Points never buy a must."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.catalogues.model import Catalogue, Profile
from app.catalogues.rules import Answers, Result, applicable, criterion_result


@dataclass(frozen=True, slots=True)
class TierOutcome:
    """What answers claim for one tier; `not_met` and `unknown` are the musts that shut its gate."""

    tier: int
    profile_id: str
    result: Result
    not_met: tuple[str, ...]
    unknown: tuple[str, ...]


def gate(results: Iterable[Result]) -> Result:
    """Join the musts of a gate: one that is not met shuts it, else an unknown leaves it unknown.

    Source: design fact 1; unknown is never met.
    """
    found = set(results)
    for one in (Result.NOT_MET, Result.UNKNOWN):
        if one in found:
            return one
    return Result.MET


def tier_profiles(catalogue: Catalogue, profile_id: str) -> tuple[Profile, ...]:
    """The profiles of all tiers for the kind of company that a profile is for, the lowest first."""
    own = set(catalogue.profile(profile_id).entity)
    found = [one for one in catalogue.profiles if own & set(one.entity)]
    return tuple(sorted(found, key=lambda one: one.tier))


def tier_outcomes(
    catalogue: Catalogue, profile_id: str, answers: Answers, accepted: Collection[str] = ()
) -> tuple[TierOutcome, ...]:
    """What the answers claim for each tier, the lowest first; the rules that run over all partners.

    `accepted` are the criteria whose claims of not applying the agency has accepted.
    """
    found = []
    for profile in tier_profiles(catalogue, profile_id):
        musts = must_results(catalogue, profile.id, answers, accepted)
        not_met = tuple(key for key, one in musts.items() if one is Result.NOT_MET)
        unknown = tuple(key for key, one in musts.items() if one is Result.UNKNOWN)
        found.append(TierOutcome(profile.tier, profile.id, gate(musts.values()), not_met, unknown))
    return tuple(found)


def must_results(
    catalogue: Catalogue, profile_id: str, answers: Answers, accepted: Collection[str] = ()
) -> Mapping[str, Result]:
    """The claimed result of each must of a profile, by criterion id."""
    applies = applicable(catalogue, profile_id, answers, accepted)
    return MappingProxyType(
        {
            criterion.id: criterion_result(catalogue, profile_id, criterion, applies, answers)
            for section in catalogue.sections_in(profile_id)
            for criterion in section.criteria
            if catalogue.modality(profile_id, criterion.id) == "must"
        }
    )


def reached(outcomes: Sequence[tuple[int, Result]]) -> int | None:
    """The highest tier whose gate is open and below which no gate is shut; `None` for none.

    `outcomes` are (tier, gate), the lowest tier first.
    """
    found = None
    for tier, result in outcomes:
        if result is not Result.MET:
            break
        found = tier
    return found

"""How far an assessment is from a tier: pure decisions, three-valued throughout."""

from app.gaps.rules.measures import Evidence, File, Why, WhyKind, evidence_result
from app.gaps.rules.path import Path, Step, StepKind, cheapest_path
from app.gaps.rules.report import (
    CriterionGap,
    FilesMissing,
    Report,
    SectionProfile,
    TierStanding,
    report,
)
from app.gaps.rules.tiers import TierOutcome, gate, tier_outcomes, tier_profiles

__all__ = [
    "CriterionGap",
    "Evidence",
    "File",
    "FilesMissing",
    "Path",
    "Report",
    "SectionProfile",
    "Step",
    "StepKind",
    "TierOutcome",
    "TierStanding",
    "Why",
    "WhyKind",
    "cheapest_path",
    "evidence_result",
    "gate",
    "report",
    "tier_outcomes",
    "tier_profiles",
]

"""Transactions and facts as tests need them, plain unless told otherwise."""

from itertools import chain, product
from typing import Any, get_args

from app.facilitation.facts import BROKERS, IMPORTERS, Facts, PartyStanding, RiskWord
from app.facilitation.transactions import Mode
from app.register.programme import PROGRAMMES

IMPORTER = "12-345678900"
SECURITY = PROGRAMMES["security"]
HOLDS = ("security", "sanctions", "uflpa", "pga")
RISKS = get_args(RiskWord)
ENTRY_TYPES = ("01", "03", "61")


def transaction(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A container of batteries by sea, low risk, no hold."""
    return {
        "transaction_id": f"TX-{number:06d}",
        "mode": "ocean",
        "entry_type": "01",
        "port": "2704",
        "arrival_at": "2026-11-26T08:00:00Z",
        "parties": [{"role": "importer", "scheme": "ior", "value": IMPORTER}],
        "lines": [
            {
                "hts": "8507.60.0020",
                "origin": "VN",
                "value_usd": "125000.00",
                "quantity": "4000",
                "uom": "NO",
            }
        ],
        "risk_score": 120,
        "holds": [],
        **changes,
    }


def importer(tier: int, *restrictions: str) -> PartyStanding:
    """The standing of an importer of this tier of the Security programme; none at tier 0."""
    if not tier:
        return PartyStanding(role="importer", answer="not_a_partner")
    return PartyStanding(
        role="importer",
        answer="active",
        partner_id="p",
        tier=tier,
        benefits=tuple(x for x in SECURITY.benefits_of(tier) if x not in restrictions),
        restrictions=restrictions,
    )


def facts(tier: int = 3, *restrictions: str, **changes: Any) -> Facts:
    """Facts about an importer of this tier; low risk by sea."""
    standing = importer(tier, *restrictions)
    return Facts.model_validate(
        {
            "holds": (),
            "importer": "partner" if tier else "not_a_partner",
            "tier": tier,
            "broker": "none",
            "risk": "low",
            "mode": "ocean",
            "entry_type": "01",
            "grants": standing.benefits,
            "restrictions": restrictions,
            "sampled": False,
            **changes,
        }
    )


def grid() -> list[Facts]:
    """Every combination of facts that can come about, one value for each that a row can tell."""
    kinds = [(word, 0, ()) for word in IMPORTERS if word != "partner"]
    kinds += [("partner", tier, ()) for tier in (1, 2, 3)]
    kinds += [("partner", tier, ("fewer-exams",)) for tier in (1, 2, 3)]
    held = (("pga",), ("uflpa",), ("security",), ("sanctions", "pga"))
    free = product(kinds, BROKERS, RISKS, Mode, ENTRY_TYPES, ((),))
    # Under a hold no row looks at broker, mode or entry type.
    kept = product(kinds, ("none",), RISKS, (Mode.OCEAN,), ("01",), held)
    return [
        facts(
            tier,
            *restricted,
            importer=word,
            broker=broker,
            risk=risk,
            mode=mode,
            entry_type=entry_type,
            holds=holds,
            sampled=sampled,
        )
        for (word, tier, restricted), broker, risk, mode, entry_type, holds in chain(free, kept)
        for sampled in ((False, True) if tier else (False,))
    ]

"""A trader's own standing, as the traders' API gives it."""

from app.advance_data.schemas import GivenOwnStanding, GivenOwnStatus
from app.register import rules
from app.register.programme import PROGRAMMES
from app.register.queries import head, standings_of
from app.register.rules import Standing
from app.traders.models import Trader
from app.work import Work


def own_status(work: Work, trader: Trader) -> GivenOwnStatus:
    """What the register knows about the trader now, in the words of the internal API."""
    standings = standings_of(work.session, trader.id, valid_at=work.now)
    granting = any(_grants(one) for one in standings.values())
    return GivenOwnStatus(
        partner_id=trader.id,
        answer="active" if granting else "not_active" if standings else "not_a_partner",
        seq=head(work.session, now=work.now).seq,
        as_of=work.now,
        standings=[_given(one) for one in standings.values()],
    )


def _grants(standing: Standing) -> bool:
    programme = PROGRAMMES.get(standing.programme)
    return programme is not None and rules.grants(programme, standing)


def _given(standing: Standing) -> GivenOwnStanding:
    granting = _grants(standing)
    benefits = rules.benefits(PROGRAMMES[standing.programme], standing) if granting else ()
    return GivenOwnStanding(
        programme=standing.programme,
        tier=standing.tier if granting else None,
        status=standing.status.value,
        restrictions=list(standing.restrictions),
        benefits=list(benefits),
        effective_from=standing.effective_from,
        effective_until=standing.effective_until,
    )

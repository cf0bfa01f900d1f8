"""What is read about verifications; foreign and absent look the same."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from app.db.session import Principal, Role, transaction
from app.kernel.errors import NotFoundError, UnavailableError
from app.kernel.identifiers import Identifier, parse
from app.register import rules as register_rules
from app.register.answer import Verdict
from app.register.programme import PROGRAMMES
from app.register.queries import answers, standings_of
from app.traders.models import Trader
from app.traders.queries import holders
from app.verifications.models import Consent, Verification
from app.verifications.rules import MUTED
from app.verifications.workflow import ConsentState, VerificationState
from app.work import Work

# The state columns are private so that only `app.work.move` writes them; reading is free.
STATE = Verification._state  # noqa: SLF001
CONSENT_STATE = Consent._state  # noqa: SLF001
SHOWING = Principal("system:verifications", role=Role.ENTRY)


def verifications_of(trader_id: uuid.UUID) -> Select[Verification]:
    """What the trader has asked, the newest first; for `paginate`."""
    return (
        select(Verification)
        .where(Verification.trader_id == trader_id)
        .order_by(Verification.asked_at.desc(), Verification.id.desc())
    )


def consents_of(trader_id: uuid.UUID) -> Select[Consent]:
    """What the trader was asked, the newest first; for `paginate`."""
    return (
        select(Consent)
        .where(Consent.trader_id == trader_id)
        .order_by(Consent.asked_at.desc(), Consent.id.desc())
    )


def visible_verification(work: Work, trader: Trader, key: uuid.UUID) -> Verification:
    """A question of a trader that is known to be visible; `NotFoundError` for any other."""
    found = work.session.get(Verification, key)
    if found is None or found.trader_id != trader.id:
        raise NotFoundError
    return found


def visible_consent(work: Work, trader: Trader, key: uuid.UUID) -> Consent:
    """What a trader that is known to be visible was asked; `NotFoundError` for any other."""
    found = work.session.get(Consent, key)
    if found is None or found.trader_id != trader.id:
        raise NotFoundError
    return found


def waiting_of(session: Session, trader_id: uuid.UUID, now: datetime) -> int:
    """How many questions of the trader wait."""
    return session.execute(
        select(func.count())
        .select_from(Verification)
        .where(
            Verification.trader_id == trader_id,
            STATE == VerificationState.WAITING,
            Verification.lapses_at > now,
        )
    ).scalar_one()


def asked_of(session: Session, trader_id: uuid.UUID, now: datetime) -> int:
    """How many questions wait for the trader's own answer."""
    return session.execute(
        select(func.count())
        .select_from(Consent)
        .where(
            Consent.trader_id == trader_id,
            CONSENT_STATE == ConsentState.ASKED,
            Consent.lapses_at > now,
        )
    ).scalar_one()


def is_active(session: Session, trader_id: uuid.UUID, now: datetime) -> bool:
    """Whether any of the trader's standings grants anything now."""
    return any(
        one.programme in PROGRAMMES and register_rules.grants(PROGRAMMES[one.programme], one)
        for one in standings_of(session, trader_id, valid_at=now).values()
    )


def consent_to(session: Session, verification_id: uuid.UUID) -> Consent | None:
    """What was made of a question at the company that it reached; for jobs."""
    return session.scalars(
        select(Consent).where(Consent.verification_id == verification_id)
    ).one_or_none()


def is_not_to_be_asked(
    session: Session, holder_id: uuid.UUID, asker_id: uuid.UUID, now: datetime
) -> bool:
    """Whether the holder shows the asker its status, has its question, or said no lately."""
    found = session.scalars(
        select(Consent).where(
            Consent.trader_id == holder_id,
            Consent.asker_id == asker_id,
            CONSENT_STATE.in_((ConsentState.ASKED, ConsentState.GIVEN, ConsentState.DECLINED)),
        )
    )
    return any(
        (one.state == ConsentState.GIVEN)
        or (one.state == ConsentState.ASKED and one.lapses_at > now)
        or (one.decided_at is not None and one.decided_at > now - MUTED)
        for one in found
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What the asker is shown: whether the holder is an active partner, and as of when.

    `active` is `None` when the register cannot be read afresh: then nothing is said.
    """

    active: bool | None
    as_of: datetime


def shown_now(engine: Engine, verification: Verification, now: datetime) -> Shown | None:
    """What a question that its asker may see shows at this instant; `None` when it shows nothing.

    Read under a principal of its own, since the asker's transaction sees neither the consent nor
    the holder's standings, and must not. Everything is asked anew: question, consent, who holds the
    identifier, and the standing. Any doubt is no partner.
    """
    with transaction(engine, SHOWING, read_only=True) as session:
        return shown(session, [verification.id], now).get(verification.id)


def shown(session: Session, keys: Sequence[uuid.UUID], now: datetime) -> Mapping[uuid.UUID, Shown]:
    """The same for many, for jobs; those that show nothing are left out."""
    rows = session.execute(
        select(Verification, Consent)
        .join(Consent, Consent.verification_id == Verification.id)
        .where(
            Verification.id.in_(keys),
            STATE.in_((VerificationState.WAITING, VerificationState.SHOWN)),
            CONSENT_STATE == ConsentState.GIVEN,
        )
    ).all()
    asked = {one.id: identifier_of(one) for one, _ in rows}
    by_now = holders(session, asked.values())
    try:
        told = (
            dict(zip(asked, answers(session, list(asked.values()), now=now), strict=True))
            if asked
            else {}
        )
    except UnavailableError:
        return {one.id: Shown(None, now) for one, _ in rows}
    return {
        one.id: Shown(
            by_now[asked[one.id]] == [consent.trader_id]
            and told[one.id].partner_id == consent.trader_id
            and told[one.id].answer is Verdict.ACTIVE,
            now,
        )
        for one, consent in rows
    }


def identifier_of(verification: Verification) -> Identifier:
    """What was asked for."""
    return parse(verification.scheme, verification.number)


def watched(session: Session) -> Sequence[uuid.UUID]:
    """The questions that show something."""
    return session.scalars(
        select(Verification.id).where(STATE == VerificationState.SHOWN).order_by(Verification.id)
    ).all()


def lapsed(session: Session, now: datetime) -> Sequence[Verification]:
    """Questions whose time has passed and of which nobody was told so."""
    return session.scalars(
        select(Verification)
        .where(STATE == VerificationState.WAITING, Verification.lapses_at <= now)
        .order_by(Verification.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()


def unanswered(session: Session, now: datetime) -> Sequence[Consent]:
    """The same at the companies that were asked."""
    return session.scalars(
        select(Consent)
        .where(CONSENT_STATE == ConsentState.ASKED, Consent.lapses_at <= now)
        .order_by(Consent.id)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()

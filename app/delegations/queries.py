"""What is read about delegations; foreign and absent look the same."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.audit.models import AuditEvent
from app.authz.actor import Grant, TraderRole
from app.delegations.models import Delegation
from app.delegations.rules import Facts, Stage, site_name, stage_of
from app.delegations.workflow import DelegationState, Side
from app.kernel.errors import NotFoundError
from app.traders.models import Site, Trader
from app.traders.queries import sites_of
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Delegation._state  # noqa: SLF001

OWNER_KIND = Delegation.__tablename__

# A consultant is no person of the broker's: letting one at its clients would delegate once more.
REACHES_CLIENTS = frozenset(TraderRole) - {TraderRole.CONSULTANT}


def grants_of(
    session: Session, brokers: Mapping[uuid.UUID, TraderRole | None], at: datetime
) -> Mapping[uuid.UUID, Grant]:
    """By principal, the delegation in force that reaches somebody with these roles at brokers.

    `None` for a role is a broker's API client. A trader at which the actor has a role of their
    own is left out, and so is one that is reached through two brokers: for whom one acts is
    never inferred, and every doubt resolves downward.
    """
    wanted = {key: role for key, role in brokers.items() if role is None or role in REACHES_CLIENTS}
    if not wanted:
        return MappingProxyType({})
    rows = session.scalars(
        select(Delegation).where(
            Delegation.broker_id.in_(list(wanted)),
            Delegation.trader_id.not_in(list(brokers)),
            STATE == DelegationState.ACTIVE,
            Delegation.valid_from <= at,
            Delegation.valid_until > at,
        )
    )
    found: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    for one in rows:
        found[one.trader_id].append(
            Grant(
                delegation_id=one.id,
                trader_id=one.trader_id,
                trader_name=one.trader_name,
                broker_id=one.broker_id,
                broker_name=one.broker_name,
                scopes=one.scope_set,
                valid_until=one.valid_until,
                role=wanted[one.broker_id],
            )
        )
    return MappingProxyType({key: each[0] for key, each in found.items() if len(each) == 1})


def delegations_of(trader_id: uuid.UUID) -> Select[Delegation]:
    """Those in which the trader is either side, the newest first; for `paginate`.

    What a broker asked for is not listed for it before the trader has answered yes: whether
    anybody holds the identifier that it named is no business of the broker's.
    """
    return _newest_first(or_(Delegation.trader_id == trader_id, _shown_to_broker(trader_id)))


def given_by(trader_id: uuid.UUID) -> Select[Delegation]:
    """Those in which the trader is the principal, the newest first; for `paginate`."""
    return _newest_first(Delegation.trader_id == trader_id)


def given_to(broker_id: uuid.UUID) -> Select[Delegation]:
    """Those in which the broker acts, as far as they are shown to it; for `paginate`."""
    return _newest_first(_shown_to_broker(broker_id))


def awaiting(broker_id: uuid.UUID, at: datetime) -> Select[Delegation]:
    """What clients offer to the broker and nobody there has answered, the newest first."""
    return _newest_first(
        (Delegation.broker_id == broker_id)
        & (Delegation.proposed_side == Side.TRADER)
        & (STATE == DelegationState.PROPOSED)
        & (Delegation.valid_until > at)
    )


def to_answer(trader_id: uuid.UUID, at: datetime) -> Select[Delegation]:
    """What waits for the trader's own answer, on either side, the newest first."""
    asked = (Delegation.trader_id == trader_id) & (Delegation.proposed_side == Side.BROKER)
    offered = (Delegation.broker_id == trader_id) & (Delegation.proposed_side == Side.TRADER)
    return _newest_first(
        or_(asked, offered) & (STATE == DelegationState.PROPOSED) & (Delegation.valid_until > at)
    )


def _shown_to_broker(broker_id: uuid.UUID) -> ColumnElement[bool]:
    return (Delegation.broker_id == broker_id) & (
        (Delegation.proposed_side == Side.TRADER) | Delegation.accepted_at.is_not(None)
    )


def _newest_first(condition: ColumnElement[bool]) -> Select[Delegation]:
    return (
        select(Delegation)
        .where(condition)
        .order_by(Delegation.proposed_at.desc(), Delegation.id.desc())
    )


def asks_already(
    session: Session, trader_id: uuid.UUID, broker_id: uuid.UUID, at: datetime
) -> bool:
    """Whether the broker waits for the trader's answer to an earlier question."""
    return (
        session.scalars(
            select(Delegation.id).where(
                Delegation.trader_id == trader_id,
                Delegation.broker_id == broker_id,
                Delegation.proposed_side == Side.BROKER,
                STATE == DelegationState.PROPOSED,
                Delegation.valid_until > at,
            )
        ).first()
        is not None
    )


def stage(delegation: Delegation, at: datetime) -> Stage:
    """How it stands at that instant."""
    return stage_of(
        Facts(
            state=delegation.state,
            proposed_side=delegation.proposed_side,
            valid_from=delegation.valid_from,
            valid_until=delegation.valid_until,
        ),
        at,
    )


def history_of(session: Session, delegation: Delegation) -> Sequence[AuditEvent]:
    """What was done about it, by whom, the newest first; both sides read the same."""
    return session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.trader_id == delegation.trader_id,
            AuditEvent.subject_kind == OWNER_KIND,
            AuditEvent.subject_id == delegation.id,
        )
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
    ).all()


def visible_delegation(work: Work, trader: Trader, delegation_id: uuid.UUID) -> Delegation:
    """One of `delegations_of` a trader that is known to be visible; else `NotFoundError`."""
    found = work.session.scalars(
        delegations_of(trader.id).where(Delegation.id == delegation_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def side_of(delegation: Delegation, trader: Trader) -> Side:
    """Which side the trader is."""
    return Side.TRADER if delegation.trader_id == trader.id else Side.BROKER


def sites_named(
    session: Session, trader_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> Sequence[Site]:
    """Those of the trader's present sites that are named, by name."""
    if not ids:
        return []
    return session.scalars(sites_of(trader_id).where(Site.id.in_(list(ids)))).all()


def limit_of(work: Work, delegation_id: uuid.UUID | None) -> frozenset[str] | None:
    """The sites to which a delegation is limited, as `site_name` writes them; `None` for no limit.

    They are part of what was agreed and never change, so the lock of `still_live` holds them too.
    """
    if delegation_id is None:
        return None
    names = work.session.scalars(
        select(Delegation.site_names).where(Delegation.id == delegation_id)
    ).one_or_none()
    return frozenset(map(site_name, names)) if names else None


def still_live(work: Work, delegation_id: uuid.UUID) -> bool:
    """Whether it is in force now, and it stays so until this transaction ends.

    For a job that goes on with what was begun under a delegation.
    """
    found = work.session.scalars(
        select(Delegation)
        .where(Delegation.id == delegation_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return found is not None and found.in_force(work.now)


def overlaps(session: Session, delegation: Delegation) -> bool:
    """Whether an active one of the same pair is in force at some instant of this one's."""
    return (
        session.scalars(
            select(Delegation.id).where(
                Delegation.trader_id == delegation.trader_id,
                Delegation.broker_id == delegation.broker_id,
                Delegation.id != delegation.id,
                STATE == DelegationState.ACTIVE,
                Delegation.valid_from < delegation.valid_until,
                Delegation.valid_until > delegation.valid_from,
            )
        ).first()
        is not None
    )

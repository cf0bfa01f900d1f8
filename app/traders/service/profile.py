"""Bonds, sites and contacts. Removing only marks a row: cases and the record refer to it."""

import uuid
from dataclasses import asdict

from sqlalchemy import select

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row, require_version
from app.kernel.errors import NotFoundError
from app.traders.details import BondDetails, ContactDetails, SiteDetails
from app.traders.models import Bond, Contact, Site, Trader
from app.traders.rules import bond_problems, contact_problems, site_problems
from app.traders.service.company import change, refuse
from app.work import Work


def record_bond(work: Work, trader: Trader, *, key: uuid.UUID, details: BondDetails) -> Bond:
    """Record a customs bond of the trader.

    Side effects in order: the bond, with `key` as its id; one event. The same key again gives
    the first bond back. Errors: `NotReadyError` for malformed details (19 CFR part 113).
    """
    earlier = first_with(work.session, Bond, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    refuse(bond_problems(details))
    bond = Bond(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        recorded_at=work.now,
        **asdict(details),
    )
    work.session.add(bond)
    work.record(EventTag.BOND_RECORDED, bond, kind=details.kind)
    return bond


def change_bond(work: Work, bond: Bond, *, details: BondDetails, version: int) -> Bond:
    """Correct a bond, or set the day on which it ends.

    Side effects in order: the row; one event with the names of the changed fields, none when
    nothing changed. Errors: `NotReadyError`, `StaleError`.
    """
    refuse(bond_problems(details))
    change(work, bond, asdict(details), version=version, tag=EventTag.BOND_RECORDED)
    return bond


def add_site(work: Work, trader: Trader, *, key: uuid.UUID, details: SiteDetails) -> Site:
    """Add a place of work.

    Side effects in order: the site, with `key` as its id; one event. The same key again gives
    the first site back. Errors: `NotReadyError` for a malformed address.
    """
    earlier = first_with(work.session, Site, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    refuse(site_problems(details))
    site = Site(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        added_at=work.now,
        **asdict(details),
    )
    work.session.add(site)
    work.record(EventTag.SITE_ADDED, site, kind=details.kind)
    return site


def change_site(work: Work, site: Site, *, details: SiteDetails, version: int) -> Site:
    """Change a site.

    Side effects in order: the row; one event with the names of the changed fields, none when
    nothing changed. Errors: `NotReadyError`, `StaleError`, `NotFoundError` for a removed site.
    """
    refuse(site_problems(details))
    lock_row(work.session, site)
    if site.removed_at is not None:
        raise NotFoundError
    change(work, site, asdict(details), version=version, tag=EventTag.SITE_CHANGED)
    return site


def remove_site(work: Work, site: Site, *, version: int) -> None:
    """Remove a site from the profile; a second call does nothing.

    Side effects in order: the row is marked; one event. Errors: `StaleError`, because whoever
    removes a site should have seen what it is now.
    """
    lock_row(work.session, site)
    if site.removed_at is not None:
        return
    require_version(site, version)
    site.removed_at = work.now
    work.record(EventTag.SITE_REMOVED, site)


def add_contact(work: Work, trader: Trader, *, key: uuid.UUID, details: ContactDetails) -> Contact:
    """Add a contact; a new primary contact takes the place of the former one.

    Side effects in order: the former primary contact becomes an ordinary one; the contact, with
    `key` as its id; one event. The same key again gives the first contact back.
    Errors: `NotReadyError` for malformed details or an adviser as primary contact.
    """
    earlier = first_with(work.session, Contact, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    refuse(contact_problems(details))
    if details.is_primary:
        _step_back(work, trader.id, keep=None)
    contact = Contact(
        id=key if earlier is None else work.new_id(),
        trader_id=trader.id,
        added_at=work.now,
        **asdict(details),
    )
    work.session.add(contact)
    work.record(EventTag.CONTACT_ADDED, contact, is_primary=details.is_primary)
    return contact


def change_contact(
    work: Work, contact: Contact, *, details: ContactDetails, version: int
) -> Contact:
    """Change a contact; a new primary contact takes the place of the former one.

    Side effects in order: the former primary contact becomes an ordinary one; the row; one event
    with the names of the changed fields, none when nothing changed.
    Errors: `NotReadyError`, `StaleError`, `NotFoundError` for a removed contact.
    """
    refuse(contact_problems(details))
    if details.is_primary:
        _step_back(work, contact.trader_id, keep=contact)
    lock_row(work.session, contact)
    if contact.removed_at is not None:
        raise NotFoundError
    change(work, contact, asdict(details), version=version, tag=EventTag.CONTACT_CHANGED)
    return contact


def remove_contact(work: Work, contact: Contact, *, version: int) -> None:
    """Remove a contact from the profile; a second call does nothing.

    Side effects in order: the row is marked; one event. Errors: `StaleError`.
    """
    lock_row(work.session, contact)
    if contact.removed_at is not None:
        return
    require_version(contact, version)
    contact.removed_at = work.now
    work.record(EventTag.CONTACT_REMOVED, contact)


def _step_back(work: Work, trader_id: uuid.UUID, *, keep: Contact | None) -> None:
    """Make the present primary contact an ordinary one, one request at a time."""
    work.session.execute(
        select(Trader.id).where(Trader.id == trader_id).with_for_update(key_share=True)
    )
    present = work.session.scalars(
        select(Contact)
        .where(Contact.trader_id == trader_id, Contact.is_primary, Contact.removed_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if present is not None and present is not keep:
        present.is_primary = False
        work.session.flush()

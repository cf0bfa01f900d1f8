"""The demonstration's story, from two years ago to now."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from app.config import Settings
from app.demo.accounts import ACCOUNTS, HARBOUR, JUNIPER, TIDEWAY
from app.demo.stage import Stage
from app.documents.files import equip_files
from app.identity import service as identity
from app.kernel.clock import FixedClock
from app.kernel.identifiers import Scheme
from app.traders import service as traders
from app.traders.details import CompanyDetails
from app.traders.kinds import EntityType
from app.traders.models import Trader
from app.traders.queries import identifiers_of
from app.traders.sealing import equip

HISTORY = timedelta(days=730)


def tell(engine: Engine, settings: Settings, *, until: datetime) -> None:
    """Fill an empty database; every line is said by a service, so nothing is out of character."""
    equip(settings.secret_key)
    equip_files(settings)
    stage = Stage(engine, FixedClock(until - HISTORY))
    _bring_in_the_people(stage)
    _found_the_traders(stage)


def _bring_in_the_people(stage: Stage) -> None:
    with stage.work() as work:
        for account in ACCOUNTS:
            person = identity.add_person(
                work,
                name=account.name,
                email=account.email,
                password=None,
                roles=[account.agency_role] if account.agency_role else [],
            )
            stage.people[account.key] = person.id


def _found_the_traders(stage: Stage) -> None:
    for officer, name, kind, scheme, value in (
        ("importer-officer", HARBOUR, EntityType.IMPORTER, Scheme.IOR, "12-345678900"),
        ("other-importer-officer", JUNIPER, EntityType.IMPORTER, Scheme.IOR, "46-220817300"),
        ("broker-officer", TIDEWAY, EntityType.BROKER, Scheme.FILER, "TWY"),
    ):
        with stage.work(by=officer) as work:
            trader = traders.register_trader(
                work,
                key=work.new_id(),
                entity_type=kind,
                details=CompanyDetails(
                    name=name,
                    country="US",
                    address_line="2400 Harbor Boulevard",
                    city="San Pedro",
                    region="CA",
                    postal_code="90731",
                    office_country="US",
                    imported_within_year=True,
                ),
            )
            traders.claim_identifier(work, trader, key=work.new_id(), scheme=scheme, text=value)
        with stage.work(by="reviewer") as work:
            found = work.session.get_one(Trader, trader.id)
            for identifier in identifiers_of(work.session, found.id):
                traders.verify_identifier(work, identifier)

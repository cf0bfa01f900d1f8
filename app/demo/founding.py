"""How the companies come in: registered by their officers, or taken on as partners of old."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.authz.actor import TraderRole
from app.casework import service as casework
from app.demo import numbers
from app.demo.cast import Company, Employee
from app.demo.script import Script
from app.demo.stage import Stage
from app.identity import service as identity
from app.kernel.identifiers import Scheme
from app.register import service as register
from app.register.programme import Status
from app.register.service import TakeOn
from app.traders import service as traders
from app.traders.details import BondDetails, CompanyDetails, ContactDetails, SiteDetails
from app.traders.kinds import BondKind, EntityType, Position, SiteKind
from app.traders.models import Trader
from app.traders.queries import identifiers_of, open_conflict_over
from app.work import Work

SECURITY = "security"
LACKS_PROOF = 0.25
SURETIES = (
    *("Breakwater Surety Company", "Lone Oak Indemnity", "Great Basin Casualty and Surety"),
    *("Fidelity Harbor Insurance", "Mid-Atlantic Bonding Corporation"),
)
SECOND_SITES = {
    EntityType.IMPORTER: (SiteKind.WAREHOUSE, SiteKind.DISTRIBUTION_CENTRE),
    EntityType.BROKER: (SiteKind.OFFICE,),
    EntityType.CARRIER: (SiteKind.TERMINAL,),
    EntityType.CONSOLIDATOR: (SiteKind.CONSOLIDATION_POINT,),
    EntityType.MANUFACTURER: (SiteKind.FACTORY,),
    EntityType.EXPORTER: (SiteKind.WAREHOUSE,),
    EntityType.THIRD_PARTY_LOGISTICS: (SiteKind.DISTRIBUTION_CENTRE, SiteKind.WAREHOUSE),
    EntityType.TERMINAL_OPERATOR: (SiteKind.TERMINAL,),
}
TITLES = ("Head of supply chain security", "Vice president, operations", "Director of compliance")
OTHER_TITLES = ("Import manager", "Warehouse manager", "Compliance analyst", "Logistics lead")


def register_company(
    script: Script, company: Company, *, verified_after: float | None, bare: bool = False
) -> None:
    """Registered by its officer, filled in, and verified by a reviewer some days later.

    With `bare`, the profile is only begun: no bond, no site, no contact.
    """

    def begins(stage: Stage) -> None:
        with stage.work() as work:
            _hire(stage, work, company.officer)
            own = stage.acting(work, company.officer.key)
            trader = traders.register_trader(
                own, key=own.new_id(), entity_type=company.kind, details=details_of(company)
            )
            stage.traders[company.key] = trader.id
            # Being an officer begins with registering.
            stage.joined(company.officer.key)
            own = stage.acting(work, company.officer.key)
            wanted = company.identifiers[:1] if bare else company.identifiers
            for scheme, value in wanted:
                traders.claim_identifier(own, trader, key=own.new_id(), scheme=scheme, text=value)
            if not bare:
                fill_in(own, trader, company)
                _invite(stage, own, trader, company)

    script.add(company.since, begins)
    if verified_after is not None:
        script.add(company.since - verified_after, lambda stage: _verify_all(stage, company))


def take_on(script: Script, company: Company, *, tier: int, valid_from: date) -> None:
    """Brought in with the register of the system before: a standing and verified identifiers."""

    def comes_over(stage: Stage) -> None:
        with stage.work() as work:
            trader = traders.register_trader(
                work, key=work.new_id(), entity_type=company.kind, details=details_of(company)
            )
            stage.traders[company.key] = trader.id
            for scheme, value in company.identifiers:
                traders.take_on_identifier(work, trader, scheme=scheme, text=value)
            register.import_entry(
                work,
                trader.id,
                TakeOn(
                    programme=SECURITY,
                    status=Status.CERTIFIED if tier == 1 else Status.VALIDATED,
                    tier=tier,
                    valid_from=datetime(
                        valid_from.year, valid_from.month, valid_from.day, tzinfo=UTC
                    ),
                    valid_until=None,
                    reason="Taken over from the register of the system before.",
                    file_sha256=hashlib.sha256(b"partners of the system before").hexdigest(),
                    os_account="registrar",
                ),
            )
            fill_in(work, trader, company)
            _invite(stage, stage.acting(work, "supervisor"), trader, company, officer=True)

    script.add(company.since, comes_over)


def details_of(company: Company) -> CompanyDetails:
    """Name and head office."""
    staffed = company.country if company.country in {"US", "CA"} else None
    return CompanyDetails(
        name=company.name,
        country=company.country,
        address_line=company.address,
        city=company.town,
        region=company.region,
        postal_code=company.postal_code,
        office_country=staffed,
        imported_within_year=company.kind in {EntityType.IMPORTER, EntityType.BROKER} or None,
    )


def fill_in(work: Work, trader: Trader, company: Company) -> None:
    """Bond, sites and contacts."""
    random = company.random("profile")
    if company.kind in {EntityType.IMPORTER, EntityType.BROKER, EntityType.CARRIER}:
        begins = (work.now - timedelta(days=random.randint(60, 900))).date().replace(day=1)
        traders.record_bond(
            work,
            trader,
            key=work.new_id(),
            details=BondDetails(
                number=numbers.digits(random, 9),
                surety=random.choice(SURETIES),
                kind=BondKind.CONTINUOUS,
                activity_code={EntityType.IMPORTER: "1", EntityType.BROKER: "2"}.get(
                    company.kind, "3"
                ),
                amount=Decimal(random.choice((50_000, 50_000, 80_000, 200_000, 650_000))),
                valid_from=begins,
            ),
        )
    kinds = SECOND_SITES[company.kind][: 2 if company.large else 1]
    sites = [(f"{company.town} head office", SiteKind.OFFICE, company.address)]
    sites += [
        (
            f"{company.town} {kind.label.lower()}",
            kind,
            f"{random.randint(100, 9900)} {random.choice(('Commerce', 'Depot', 'Railhead', 'Airport'))} Road",
        )
        for kind in kinds
        if company.kind is not EntityType.BROKER or company.large
    ]
    for name, kind, address in sites:
        traders.add_site(
            work,
            trader,
            key=work.new_id(),
            details=SiteDetails(
                name=name,
                kind=kind,
                country=company.country,
                address_line=address,
                city=company.town,
                region=company.region,
                postal_code=company.postal_code,
            ),
        )
    people = (company.officer, *company.staff)
    for number, one in enumerate(people[: 3 if company.large else 2]):
        traders.add_contact(
            work,
            trader,
            key=work.new_id(),
            details=ContactDetails(
                name=one.name,
                role=random.choice(TITLES if number == 0 else OTHER_TITLES),
                position=Position.OFFICER if number == 0 else Position.EMPLOYEE,
                email=one.email,
                phone=numbers.telephone(random),
                is_primary=number == 0,
            ),
        )


def _hire(stage: Stage, work: Work, one: Employee) -> None:
    """Let the person sign up, unless they have."""
    if one.key not in stage.people:
        person = identity.add_person(work, name=one.name, email=one.email, password=None)
        stage.people[one.key] = person.id


def _invite(
    stage: Stage, work: Work, trader: Trader, company: Company, *, officer: bool = False
) -> None:
    """Appoint the staff, all of whom accept but the last viewer of every third large company."""
    leaves_open = company.random("people").random() < 0.4  # noqa: PLR2004 - two in five.
    for one in (company.officer, *company.staff) if officer else company.staff:
        invitation = traders.appoint(
            work,
            trader,
            key=work.new_id(),
            email=one.email,
            role=one.role,
            link=lambda token: f"{stage.address}/invitations/{token}",
        )
        if one.role is TraderRole.VIEWER and leaves_open:
            continue
        _hire(stage, work, one)
        traders.accept_appointment(stage.acting(work, one.key), invitation)
        stage.joined(one.key)


def _verify_all(stage: Stage, company: Company) -> None:
    with stage.work(by="reviewer") as work:
        claimed = identifiers_of(work.session, stage.traders[company.key])
        # Of some companies the proof for the last number is still missing.
        late = company.random("proofs").random() < LACKS_PROOF
        for identifier in claimed[:-1] if late and len(claimed) > 1 else claimed:
            if "verify" in identifier.available():
                traders.verify_identifier(work, identifier)


def claim_rival(
    script: Script, days: float, claimant: Company, holder: Company, scheme: Scheme
) -> None:
    """The claimant claims a number that the holder has, be it by mistake; a conflict opens."""

    def claims(stage: Stage) -> None:
        with stage.work(by=claimant.officer.key) as work:
            traders.claim_identifier(
                work,
                stage.trader(work, claimant.key),
                key=work.new_id(),
                scheme=scheme,
                text=holder.identifier(scheme),
            )

    script.add(days, claims)


def claim_late(script: Script, days: float, company: Company, scheme: Scheme, value: str) -> None:
    """A number that a company adds later and nobody has looked at yet."""

    def claims(stage: Stage) -> None:
        with stage.work(by=company.officer.key) as work:
            trader = stage.trader(work, company.key)
            traders.claim_identifier(work, trader, key=work.new_id(), scheme=scheme, text=value)

    script.add(days, claims)


def refuse_claim(
    script: Script, days: float, company: Company, scheme: Scheme, reason: str
) -> None:
    """A reviewer does not accept a claim, and says why."""

    def refuses(stage: Stage) -> None:
        with stage.work(by="second-reviewer") as work:
            for one in identifiers_of(work.session, stage.traders[company.key]):
                if one.scheme is scheme:
                    casework.refuse_identifier(work, one, reason=reason)

    script.add(days, refuses)


def resolve_conflict(
    script: Script, days: float, keeper: Company, scheme: Scheme, reason: str
) -> None:
    """A reviewer decides that `keeper` keeps the number that another company claimed as well."""

    def resolves(stage: Stage) -> None:
        with stage.work(by="reviewer") as work:
            kept = next(
                one
                for one in identifiers_of(work.session, stage.traders[keeper.key])
                if one.scheme is scheme
            )
            conflict = open_conflict_over(work.session, kept)
            if conflict is not None:
                casework.resolve_conflict(work, conflict, keep=kept, reason=reason)

    script.add(days, resolves)


def invite_late(
    script: Script, days: float, company: Company, email: str, role: TraderRole
) -> None:
    """Somebody who has been invited and has not answered yet."""

    def invites(stage: Stage) -> None:
        with stage.work(by=company.officer.key) as work:
            traders.appoint(
                work,
                stage.trader(work, company.key),
                key=work.new_id(),
                email=email,
                role=role,
                link=lambda token: f"{stage.address}/invitations/{token}",
            )

    script.add(days, invites)

"""What the record keeps beside the story: sign-ins, lookups, decisions, and letters that went out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from sqlalchemy import text

from app.audit.access import Circumstances, Seen, record_access, record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import Actor, ActorKind
from app.demo import numbers
from app.demo.accounts import ACCOUNTS
from app.demo.cast import Company
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.texts import read
from app.facilitation.chance import Chance
from app.facilitation.service import decide
from app.facilitation.transactions import Line, Mode, Party, Role, Transaction
from app.identity import scopes, service
from app.identity.models import ApiClient
from app.identity.queries import credentials_of
from app.kernel.identifiers import Scheme, parse
from app.traders.kinds import EntityType
from app.traders.sealing import sealer
from app.work import Work

RELEASE_SYSTEM = "Release system, ports of Los Angeles and Long Beach"
OFFICES = ("198.51.100.24", "198.51.100.61", "203.0.113.9", "203.0.113.140")
PORTS = ("2704", "2709", "4601", "5301", "1703")


@dataclass(slots=True)
class ReleaseSystem:
    """The program that asks for decisions; `actor` is there once it has been registered."""

    chance: Chance
    actor: Actor | None = None
    asked: int = field(default=0)

    def arrives(self, stage: Stage) -> None:
        """The agency registers the program."""
        with stage.work() as work:
            client, _ = service.create_client(
                work, name=RELEASE_SYSTEM, scopes=scopes.SCOPES[scopes.Audience.INTERNAL]
            )
            self.actor = Actor(
                ActorKind.CLIENT,
                client_id=client.id,
                name=client.name,
                scopes=scopes.SCOPES[scopes.Audience.INTERNAL],
            )

    def asks(self, stage: Stage, random: Random, companies: Sequence[Company]) -> None:
        """Look partners up, then ask what their shipments get."""
        if self.actor is None:
            return
        chosen = random.sample(companies, 3)
        shipments = [self._shipment(random, one, stage.clock.now()) for one in chosen]
        with stage.work() as work:
            self._notes_use(work)
            found = decide(replace(work, actor=self.actor), shipments, chance=self.chance)
            seen = [
                Seen(
                    "identifier",
                    sealer().keyed_hash(parse(Scheme.IOR, one.identifier(Scheme.IOR))),
                    str(decision.input["standings"][0]["answer"]),
                    trader_id=stage.traders.get(one.key),
                    seq=decision.seq,
                )
                for one, decision in zip(chosen, found, strict=True)
            ]
        record_access(
            stage.bind, self.actor, seen, Circumstances(at=stage.clock.now(), address=OFFICES[0])
        )

    def _notes_use(self, work: Work) -> None:
        """What asking for a token leaves, so that the program does not seem to lie idle."""
        assert self.actor is not None  # noqa: S101 - tells the type checker what `asks` knows.
        client = work.session.get_one(ApiClient, self.actor.client_id)
        client.last_used_at = work.now
        for one in credentials_of(work.session, client.id):
            one.last_used_at = work.now

    def _shipment(self, random: Random, company: Company, now: datetime) -> Transaction:
        self.asked += 1
        goods = read("goods")["goods"][company.goods]
        hts, unit, cheap, dear, least, most = random.choice(goods["items"])
        country = random.choice(goods["factories"])[3]
        quantity = random.randint(least, most)
        held = random.random() < 0.08  # noqa: PLR2004 - a hold is rare.
        return Transaction(
            transaction_id=f"LA-{now:%y%m}-{self.asked:05}",
            mode=random.choice((Mode.OCEAN, Mode.OCEAN, Mode.OCEAN, Mode.AIR, Mode.TRUCK)),
            entry_type=random.choice(("01", "01", "01", "03", "06")),
            port=random.choice(PORTS),
            arrival_at=now + timedelta(days=random.randint(1, 5)),
            parties=(
                Party(role=Role.IMPORTER, scheme="ior", value=company.identifier(Scheme.IOR)),
                Party(role=Role.MANUFACTURER, scheme="duns", value=numbers.duns(random)),
            ),
            lines=(
                Line(
                    hts=hts,
                    origin=country,
                    value_usd=f"{quantity * random.uniform(cheap, dear):.2f}",
                    quantity=str(quantity),
                    uom=unit,
                ),
            ),
            risk_score=random.choice((60, 120, 190, 240, 410, 560, 780)),
            holds=(random.choice(("pga", "security", "uflpa")),) if held else (),
        )


def write_traces(script: Script, cast: Mapping[str, Company], chance: Chance) -> None:
    """Decisions over two years, and the visits of the people one can sign in as."""
    system = ReleaseSystem(chance)
    script.add(699, system.arrives)
    importers = [one for one in cast.values() if one.kind is EntityType.IMPORTER]
    random = Random("decisions")  # noqa: S311 - no secret is drawn.
    for number in range(18):
        days = 690 * (1 - number / 18) + random.random()
        known = [one for one in importers if one.since > days + 1]
        script.add(days, partial(system.asks, random=random, companies=known))
    _visits(script)
    _looks(script)


def _visits(script: Script) -> None:
    random = Random("visits")  # noqa: S311 - no secret is drawn.
    for account in ACCOUNTS:
        often = 28 if account.key in {"importer-officer", "reviewer"} else 7
        for _ in range(often):
            tag = SecurityTag.SIGNED_IN if random.random() < 0.9 else SecurityTag.SIGN_IN_FAILED  # noqa: PLR2004
            address = random.choice(OFFICES)
            script.add(
                random.uniform(0.3, 88),
                partial(_visit, key=account.key, tag=tag, address=address),
            )


def _looks(script: Script) -> None:
    """The reviewer of the demonstration looks into a file now and then, as its trader can see."""
    for days in (61.3, 33.8, 12.4, 2.2):
        script.add(days, partial(_look, person="reviewer", company="harbour"))


def _look(stage: Stage, *, person: str, company: str) -> None:
    record_access(
        stage.bind,
        Actor(ActorKind.PERSON, person_id=stage.people[person]),
        [Seen("trader", "register", trader_id=stage.traders[company])],
        Circumstances(at=stage.clock.now(), address=OFFICES[0]),
    )


def _visit(stage: Stage, *, key: str, tag: SecurityTag, address: str) -> None:
    record_security_event(
        stage.bind,
        tag,
        Circumstances(at=stage.clock.now(), address=address),
        person_id=stage.people[key],
    )


def deliver_letters(stage: Stage) -> None:
    """All letters have gone out, and what the jobs of the story would do has been told by it."""
    with stage.work() as work:
        work.session.execute(
            text(
                "UPDATE message SET sent_at = created_at + interval '3 seconds', attempts = 1"
                " WHERE sent_at IS NULL"
            )
        )
        work.session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'todo'"))

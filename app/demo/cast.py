"""The companies of the demonstration, who works there, and the numbers that name them.

Everything is drawn from one seed, so that each telling has the same names.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.authz.actor import TraderRole
from app.demo import numbers
from app.demo.accounts import ACCOUNTS, HARBOUR
from app.demo.texts import read
from app.kernel.identifiers import Scheme
from app.traders.kinds import EntityType
from app.traders.rules import SCHEMES

WITHOUT_PREPARER = 0.3
"""The share of small companies in which the officer does all the work."""
SEED = "Harbour & Vale"
FIRST = (
    *("Adela", "Amir", "Anneke", "Beatriz", "Bjorn", "Caleb", "Carmen", "Chidi", "Clara", "Dmitri"),
    *("Eleni", "Emeka", "Farah", "Felix", "Fiona", "Gareth", "Hana", "Hugo", "Imani", "Isabel"),
    *("Jonas", "Kavya", "Kenji", "Leila", "Liam", "Lucia", "Malik", "Marta", "Mei", "Mateo"),
    *("Nadia", "Noor", "Oscar", "Priya", "Quentin", "Rafael", "Rosa", "Sanjay", "Sofia", "Stellan"),
    *("Tara", "Thomas", "Uma", "Victor", "Wanda", "Yara", "Yusuf", "Zofia"),
)
LAST = (
    *(
        "Abernathy",
        "Acheampong",
        "Albrecht",
        "Bakshi",
        "Bergstrom",
        "Brandt",
        "Cardoso",
        "Castellano",
    ),
    *("Chaudhry", "Dahl", "Delacroix", "Draper", "Eriksen", "Esposito", "Farrow", "Fontaine"),
    *("Galloway", "Gutierrez", "Hadley", "Hashimoto", "Ibarra", "Ishikawa", "Jarvis", "Kaminski"),
    *("Kowalczyk", "Lachance", "Lindqvist", "Mahoney", "Marchetti", "Mbeki", "Nakagawa", "Novak"),
    *("Oduya", "Okonkwo", "Petrov", "Pereira", "Quigley", "Ramaswamy", "Rowntree", "Saldana"),
    *(
        "Schaefer",
        "Tremblay",
        "Udall",
        "Vandermeer",
        "Villanueva",
        "Whitcombe",
        "Yamada",
        "Zielinski",
    ),
)


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody at a company. `key` is the name by which the stage knows them."""

    key: str
    name: str
    email: str
    role: TraderRole


@dataclass(frozen=True, slots=True)
class Company:
    """One company. `since` counts the days before the present on which it comes in."""

    key: str
    name: str
    kind: EntityType
    large: bool
    since: float
    goods: str
    address: str
    town: str
    region: str
    postal_code: str
    country: str
    officer: Employee
    staff: tuple[Employee, ...]
    identifiers: tuple[tuple[Scheme, str], ...]
    seed: str = field(default="")

    @property
    def preparer(self) -> Employee:
        """Who fills in: the first preparer, else the officer."""
        return next((one for one in self.staff if one.role is TraderRole.PREPARER), self.officer)

    def random(self, purpose: str) -> Random:
        """Chance of this company's own for one purpose, the same in each telling."""
        return Random(f"{self.seed}/{self.key}/{purpose}")  # noqa: S311 - no secret is drawn.

    def identifier(self, scheme: Scheme) -> str:
        """The company's number of that scheme."""
        return next(value for known, value in self.identifiers if known is scheme)


def company_cast(seed: str = SEED) -> dict[str, Company]:
    """All companies by key."""
    random = Random(seed)  # noqa: S311 - no secret is drawn.
    names = [f"{first} {last}" for first in FIRST for last in LAST]
    random.shuffle(names)
    drawn = iter(names)
    found = {}
    for row in read("traders")["traders"]:
        address, town, region, postal_code, country = row["place"]
        kind = EntityType.of(row["kind"])
        people = _people(row, random, drawn)
        found[row["key"]] = Company(
            key=row["key"],
            name=row["name"],
            kind=kind,
            large=row["large"],
            since=row["since"],
            goods=row.get("goods", ""),
            address=address,
            town=town,
            region=region,
            postal_code=postal_code,
            country=country,
            officer=people[0],
            staff=people[1:],
            identifiers=tuple(_identifiers(row, kind, random)),
            seed=seed,
        )
    return found


def _people(row: dict[str, Any], random: Random, drawn: Iterator[str]) -> tuple[Employee, ...]:
    accounts = [one for one in ACCOUNTS if one.trader == row["name"] and one.role is not None]
    known = [
        Employee(one.key, one.name, one.email, one.role) for one in accounts if one.role is not None
    ]
    host = f"{row['key']}.example"
    roles = [TraderRole.OFFICER, TraderRole.PREPARER]
    if row["large"]:
        roles.append(TraderRole.VIEWER)
    elif random.random() < WITHOUT_PREPARER:
        roles = [TraderRole.OFFICER, TraderRole.VIEWER]
    for number, role in enumerate(roles[len(known) :], len(known)):
        name = next(drawn)
        address = name.lower().replace(" ", ".")
        known.append(Employee(f"{row['key']}-{number}", name, f"{address}@{host}", role))
    return tuple(known)


def _identifiers(row: dict[str, Any], kind: EntityType, random: Random) -> list[tuple[Scheme, str]]:
    name = str(row["name"])
    address, town, _, _, country = row["place"]
    found: list[tuple[Scheme, str]] = []
    match kind:
        case EntityType.IMPORTER:
            number = "12-345678900" if name == HARBOUR else numbers.importer_number(random)
            found.append((Scheme.IOR, number))
        case EntityType.BROKER:
            found += [
                (Scheme.LICENCE, numbers.licence(random)),
                (Scheme.FILER, _filer(name, random)),
            ]
        case EntityType.CARRIER:
            found.append((Scheme.SCAC, numbers.carrier_code(name)))
        case EntityType.MANUFACTURER:
            found.append((Scheme.MID, numbers.manufacturer_code(country, name, address, town)))
        case _:
            found.append((Scheme.EIN, numbers.employer_number(random)))
    found.append((Scheme.DUNS, numbers.duns(random)))
    if row["large"]:
        found += [(Scheme.LEI, numbers.legal_entity(random)), (Scheme.GLN, numbers.gln(random))]
    return [(scheme, value) for scheme, value in found if scheme in SCHEMES[kind]]


def _filer(name: str, random: Random) -> str:
    return "TWY" if name.startswith("Tideway") else numbers.filer(random)

"""The people of the demonstration, under the names that the contract fixes."""

from dataclasses import dataclass

from app.authz.actor import AgencyRole, TraderRole

HARBOUR = "Harbour & Vale Imports"
JUNIPER = "Juniper Outdoor Supply"
TIDEWAY = "Tideway Customs Brokers"


@dataclass(frozen=True, slots=True)
class Account:
    """One person one can sign in as with a click. `who` says in words what they are."""

    key: str
    name: str
    who: str
    trader: str | None = None
    role: TraderRole | None = None
    agency_role: AgencyRole | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


def _at(key: str, name: str, trader: str, role: TraderRole) -> Account:
    return Account(key, name, f"{role.value.capitalize()} of {trader}", trader=trader, role=role)


def _agency(key: str, name: str, role: AgencyRole) -> Account:
    words = role.value.replace("_", " ").capitalize()
    return Account(key, name, f"{words} at the agency", agency_role=role)


ACCOUNTS = (
    _at("importer-officer", "Ines Calder", HARBOUR, TraderRole.OFFICER),
    _at("importer-preparer", "Tom Okafor", HARBOUR, TraderRole.PREPARER),
    _at("other-importer-officer", "Ruth Jansen", JUNIPER, TraderRole.OFFICER),
    _at("broker-officer", "Marek Lind", TIDEWAY, TraderRole.OFFICER),
    _agency("reviewer", "Dana Whitlock", AgencyRole.REVIEWER),
    _agency("second-reviewer", "Samir Haddad", AgencyRole.REVIEWER),
    _agency("supervisor", "Grace Obuya", AgencyRole.SUPERVISOR),
    _agency("programme-manager", "Lena Fischer", AgencyRole.PROGRAMME_MANAGER),
    _agency("auditor", "Paul Reyes", AgencyRole.AUDITOR),
)
BY_KEY = {account.key: account for account in ACCOUNTS}

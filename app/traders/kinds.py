"""The closed lists of the profile: what a trader, a site, a bond and a contact can be.

`label` is an English source text, which the page translates.
"""

from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """A plain text value that knows how it is called on a page."""

    label: str

    def __new__(cls, value: str, label: str) -> Self:
        """Attach the label to the member, whose value stays the stored text."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def of(cls, value: object) -> Self:
        """The member with that stored text; `KeyError` when there is none."""
        return {str(one): one for one in cls}[str(value)]


class EntityType(Labelled):
    """What a trader is in the supply chain (6 USC 962: who may take part)."""

    IMPORTER = "importer", "Importer"
    BROKER = "broker", "Customs broker"
    CARRIER = "carrier", "Carrier"
    CONSOLIDATOR = "consolidator", "Consolidator or freight forwarder"
    MANUFACTURER = "manufacturer", "Foreign manufacturer"
    EXPORTER = "exporter", "Exporter"
    THIRD_PARTY_LOGISTICS = "third_party_logistics", "Third-party logistics provider"
    TERMINAL_OPERATOR = "terminal_operator", "Port authority or terminal operator"


class SiteKind(Labelled):
    """What happens at a site."""

    OFFICE = "office", "Office"
    WAREHOUSE = "warehouse", "Warehouse"
    DISTRIBUTION_CENTRE = "distribution_centre", "Distribution centre"
    FACTORY = "factory", "Factory"
    CONSOLIDATION_POINT = "consolidation_point", "Consolidation or container freight station"
    TERMINAL = "terminal", "Terminal or yard"
    OTHER = "other", "Another kind of site"


class BondKind(Labelled):
    """How long a customs bond binds (19 CFR 113.12, 113.13)."""

    CONTINUOUS = "continuous", "Continuous"
    SINGLE = "single", "Single transaction"


class Position(Labelled):
    """What a contact is to the company; an outside adviser cannot be its primary contact."""

    OFFICER = "officer", "Company officer"
    EMPLOYEE = "employee", "Employee"
    ADVISER = "adviser", "Outside adviser or consultant"

"""The pages about traders; importing this module registers every one of them on `blueprint`."""

from app.traders.views import bonds, company, contacts, identifiers, invitations, people, sites
from app.traders.views.frame import blueprint

__all__ = [
    "blueprint",
    "bonds",
    "company",
    "contacts",
    "identifiers",
    "invitations",
    "people",
    "sites",
]

"""Where goods go, as a delegation that is limited to sites asks: by the ship-to parties' names."""

from collections.abc import Mapping
from typing import Any, Final

from app.delegations.rules import site_name

NOT_NAMED: Final = frozenset({""})
"""A party without a name: no site is called so."""


def ship_to(content: Mapping[str, Any]) -> frozenset[str]:
    """The ship-to parties of a filing as `site_name` writes them; `fairway_ship_to` in SQL.

    One that is given by a number alone has no name, and so is no site.
    """
    given = [content["ship_to_name"]] if "ship_to_name" in content else []
    given += [one.get("name", "") for one in content.get("parties", ()) if one["entity"] == "ST"]
    return frozenset(site_name(one) for one in given)

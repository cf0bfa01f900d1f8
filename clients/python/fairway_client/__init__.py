"""Partner status for release systems, fail-closed: in doubt, no facilitation.

>>> fairway = Fairway(Account.read("demo-client.json"), keys=keys)
>>> answer = fairway.status("ior", "12-345678900")
>>> answer.grants("security", tier=2)
True
"""

from fairway_client.answer import Answer, Standing
from fairway_client.client import Account, Fairway
from fairway_client.exchange import Reply, fetch_keys
from fairway_client.feed import Changes
from fairway_client.local_copy import LocalCopy
from fairway_client.memory import Memory
from fairway_client.status_list import StatusList

__all__ = [
    "Account",
    "Answer",
    "Changes",
    "Fairway",
    "LocalCopy",
    "Memory",
    "Reply",
    "Standing",
    "StatusList",
    "fetch_keys",
]

"""The states of a publication: how two people of the agency come to new criteria."""

from enum import StrEnum

from app.audit.tags import EventTag
from app.kernel.workflow import Workflow, transition


class PublicationState(StrEnum):
    """Only a published one is ever used, from the day on which its file takes effect."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


_S = PublicationState
PUBLICATION = Workflow(
    "publication",
    initial=_S.PROPOSED,
    transitions=(
        transition("publish", _S.PROPOSED, _S.PUBLISHED, EventTag.CATALOGUE_PUBLISHED),
        transition("decline", _S.PROPOSED, _S.DECLINED, EventTag.CATALOGUE_DECLINED),
        transition("withdraw", _S.PROPOSED, _S.WITHDRAWN, EventTag.CATALOGUE_WITHDRAWN),
    ),
)

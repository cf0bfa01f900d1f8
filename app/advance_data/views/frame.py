"""What the pages about advance data share: the blueprint, its files, the trader in the address."""

import uuid

from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState

from app.advance_data.downloads import FILE_LIMIT
from app.advance_data.models import Batch, Filing
from app.advance_data.queries import visible_batch, visible_filing
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents.files import equip_files
from app.kernel.errors import NotFoundError
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.requests import current_work

blueprint = Blueprint("advance_data", __name__)

# The other fields of the form and the borders between its parts.
FORM_ALLOWANCE = 1 << 20


@blueprint.record
def _equip(state: BlueprintSetupState) -> None:
    equip_files(state.app.extensions["fairway"].settings)


@blueprint.url_value_preprocessor
def _allow_large_file(endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Raise the limit for the one route that takes files of 1 GB.

    Here and not in the view, because the form token is read from the body before any view runs.
    """
    if endpoint == "advance_data.receive":
        request.max_content_length = FILE_LIMIT + FORM_ALLOWANCE


def own(trader_id: uuid.UUID, permission: Permission = Permission.FILING_VIEW) -> Trader:
    """The trader in the address, when the actor holds the permission there."""
    return visible_trader(current_work(), trader_id, permission)


def own_batch(trader: Trader, batch_id: uuid.UUID) -> Batch:
    """A batch of the trader in the address."""
    batch = visible_batch(current_work(), batch_id, Permission.FILING_VIEW)
    if batch.trader_id != trader.id:
        raise NotFoundError
    return batch


def own_filing(trader: Trader, filing_id: uuid.UUID) -> Filing:
    """A filing of the trader in the address."""
    filing = visible_filing(current_work(), filing_id, Permission.FILING_VIEW)
    if filing.trader_id != trader.id:
        raise NotFoundError
    return filing


def may_submit(trader: Trader) -> bool:
    """Whether the page may offer the upload."""
    return may(current_work().actor, Permission.FILING_SUBMIT, trader)

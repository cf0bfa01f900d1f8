"""The traders' API: file one or many, see what became of them, read the own standing."""

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any, BinaryIO, Final, NoReturn, cast

from flask import Response, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_openapi import APIBlueprint
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from app.advance_data import openapi, queries, service
from app.advance_data.downloads import FILE_LIMIT, answer_abi, faults_csv, rejected_xlsx
from app.advance_data.faults import AUTHORITY
from app.advance_data.formats import ABI, CSV, FORMATS, XLSX
from app.advance_data.json_intake import ON_BEHALF_OF, UnreadableFilingError, read_filing
from app.advance_data.models import Batch, Filing
from app.advance_data.schemas import (
    BATCH_BODY,
    FILING_BODY,
    BatchPath,
    FaultsQuery,
    FilingPath,
    GivenBatch,
    GivenFault,
    GivenFaults,
    GivenFiling,
    GivenOwnStatus,
    SenderQuery,
    TraderProblem,
)
from app.advance_data.service import FilingRefusedError
from app.advance_data.standing import own_status
from app.audit.access import Seen
from app.authz.permissions import Permission
from app.documents.files import equip_files
from app.kernel.errors import NotFoundError, NotReadyError
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.access import note_access, requires
from app.web.described import described
from app.web.errors import problem_json, translate
from app.web.fragments import render
from app.web.requests import current_actor, current_work

JSON: Final = "application/json"
FILING_LIMIT: Final = 256 * 1024
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
MALFORMED: Final = "The request is not as the contract says."


def refusals(*statuses: int) -> dict[str | int, Any]:
    """The refusals that an address documents besides those that every address has."""
    return {str(status): TraderProblem for status in (400, 401, 403, *statuses)}


blueprint = APIBlueprint(
    "trader_api", __name__, url_prefix=openapi.PREFIX, abp_security=[{"bearer": []}]
)


@blueprint.record
def _equip(state: BlueprintSetupState) -> None:
    equip_files(state.app.extensions["fairway"].settings)


@blueprint.post(
    "/filings",
    operation_id="fileOne",
    request_body=FILING_BODY,
    responses={"201": GivenFiling, **refusals(409, 413, 415, 422)},
)
@requires(Permission.TRADER_API_FILE)
def file_one() -> Response:
    """File one row at once. The rules are those of a file; a refusal tells every fault."""
    work, key = current_work(), _idempotency_key()
    _media_type(JSON)
    request.max_content_length = FILING_LIMIT
    try:
        given = read_filing(request.get_data(cache=False))
    except UnreadableFilingError as error:
        _refuse(
            400,
            MALFORMED,
            errors=[
                {"pointer": one.field or "", "code": one.code, "detail": translate(one.message)}
                for one in error.problems
            ],
        )
    trader = _for_whom(Permission.TRADER_API_FILE, given.on_behalf_of)
    try:
        filing = service.file_one(work, trader, row=given.row, idempotency_key=key)
    except FilingRefusedError as refusal:
        return _refused_filing(refusal)
    response = _answer(_given(filing), 201)
    response.headers["Location"] = url_for("trader_api.filing", filing_id=filing.id)
    return response


@blueprint.post(
    "/batches",
    operation_id="fileMany",
    request_body=BATCH_BODY,
    responses={"202": GivenBatch, **refusals(409, 413, 415, 422)},
)
@requires(Permission.TRADER_API_FILE)
def send_batch(query: SenderQuery) -> Response:
    """Send a file of filings: CSV of up to 1 GB and 2,000,000 rows, NDJSON alike, XLSX, ABI messages.

    Ask at `Location` what became of it.
    """
    work, key = current_work(), _idempotency_key()
    _media_type(*FORMATS)
    trader = _for_whom(Permission.TRADER_API_FILE, query.on_behalf_of)
    request.max_content_length = FILE_LIMIT
    try:
        batch = service.receive_batch(
            work,
            trader,
            stream=cast("BinaryIO", request.stream),
            filename=f"filings{FORMATS[request.mimetype].ending}",
            media_type=request.mimetype,
            channel=service.Channel.API,
            idempotency_key=key,
        )
    except NotReadyError as refusal:
        return problem_json(422, TITLES[422], detail=translate(refusal.message))
    response = _answer(GivenBatch.of(batch), 202)
    response.headers["Location"] = url_for("trader_api.batch", batch_id=batch.id)
    return response


@blueprint.get(
    "/batches/<batch_id>",
    operation_id="getBatch",
    responses={"200": GivenBatch, **refusals(404)},
)
@requires(Permission.TRADER_API_READ)
def batch(path: BatchPath, query: SenderQuery) -> Response:
    """How far a batch is, and what became of its rows."""
    return _answer(GivenBatch.of(_batch(path, query.on_behalf_of)))


@blueprint.get(
    "/batches/<batch_id>/errors",
    operation_id="getErrors",
    responses={"200": GivenFaults, **refusals(404)},
)
@requires(Permission.TRADER_API_READ)
def errors(path: BatchPath, query: FaultsQuery) -> Response:
    """Errors and warnings of a batch, a part at a time; with `Accept: text/csv` all in one file.

    As XLSX the file's own rows that were not filed, their faulty cells marked; as ABI the answer
    message to a batch of messages.
    """
    work = current_work()
    found = _batch(path, query.on_behalf_of)
    if request.accept_mimetypes[CSV] > request.accept_mimetypes[JSON]:
        return faults_csv(found)
    if request.accept_mimetypes[ABI] > request.accept_mimetypes[JSON]:
        return answer_abi(found)
    if request.accept_mimetypes[XLSX] > request.accept_mimetypes[JSON]:
        return rejected_xlsx(found)
    faults, more = queries.faults_after(
        work.session, found.id, after=query.after, limit=query.limit
    )
    return _answer(
        GivenFaults(errors=[GivenFault.model_validate(one) for one in faults], next=more)
    )


@blueprint.get(
    "/filings/<filing_id>",
    operation_id="getFiling",
    responses={"200": GivenFiling, **refusals(404)},
)
@requires(Permission.TRADER_API_READ)
def filing(path: FilingPath, query: SenderQuery) -> Response:
    """One filing with its receipt, and whether it still counts."""
    found = queries.visible_filing(current_work(), path.filing_id, Permission.TRADER_API_READ)
    _must_be_named(found.trader_id, query.on_behalf_of)
    _note_looking(found.trader_id)
    return _answer(_given(found))


@blueprint.get(
    "/status", operation_id="getOwnStatus", responses={"200": GivenOwnStatus, **refusals(422)}
)
@requires(Permission.TRADER_API_STATUS)
def status(query: SenderQuery) -> Response:
    """Your own standing, or that of the trader for whom you act, as the register knows it now."""
    work, trader = current_work(), _for_whom(Permission.TRADER_API_STATUS, query.on_behalf_of)
    _note_looking(trader.id)
    return _answer(own_status(work, trader))


@blueprint.get("/openapi.json", doc_ui=False)
@requires(Permission.PUBLIC)
def description() -> Response:
    """The description of this API for programs (OpenAPI 3.1)."""
    return Response(json.dumps(described("traders", openapi.document)), mimetype=JSON)


@blueprint.get("/docs", doc_ui=False)
@requires(Permission.PUBLIC)
def documentation() -> Response:
    """The description of this API for people."""
    return render(
        "advance_data/api_docs.html",
        api=described("traders", openapi.document),
        description=url_for("trader_api.description"),
    )


TITLES: Final = {
    400: "Bad Request",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
}


def _for_whom(permission: Permission, on_behalf_of: str) -> Trader:
    """The trader of the token, or the one that is named and lets it; never one that is inferred.

    Foreign, unknown, ended and out of scope look the same: 422 with `AUTHORITY`.
    """
    work = current_work()
    own = work.actor.trader_id
    assert own is not None  # noqa: S101 - no client has these scopes without a trader.
    try:
        return visible_trader(work, uuid.UUID(on_behalf_of) if on_behalf_of else own, permission)
    except (ValueError, NotFoundError):
        _no_authority()


def _batch(path: BatchPath, on_behalf_of: str) -> Batch:
    """The batch, when it is that of the trader for whom the caller says it asks."""
    found = queries.visible_batch(current_work(), path.batch_id, Permission.TRADER_API_READ)
    _must_be_named(found.trader_id, on_behalf_of)
    _note_looking(found.trader_id)
    return found


def _note_looking(trader_id: uuid.UUID) -> None:
    """Record that a broker's program looked at what is its client's, before it is shown."""
    if trader_id in current_actor().grants:
        note_access(Seen("page", request.endpoint or "", trader_id=trader_id))


def _must_be_named(trader_id: uuid.UUID, on_behalf_of: str) -> None:
    own = current_work().actor.trader_id
    if str(trader_id) != (on_behalf_of or str(own)):
        raise NotFoundError


def _idempotency_key() -> str:
    given = request.headers.get("Idempotency-Key", "")
    if _KEY.fullmatch(given) is None:
        _refuse(
            400,
            "Send the header Idempotency-Key, with up to 255 visible characters of ASCII.",
            kind="urn:fairway:idempotency-key",
        )
    return given


def _media_type(*served: str) -> None:
    if request.mimetype not in served:
        _refuse(415, f"Send {' or '.join(served)}.")


def _no_authority() -> NoReturn:
    _refuse(
        422,
        AUTHORITY.message,
        errors=[
            {
                "pointer": f"/{ON_BEHALF_OF}",
                "code": AUTHORITY.code,
                "detail": AUTHORITY.message,
                "fix": AUTHORITY.fix,
            }
        ],
    )


def _refuse(
    status: int,
    detail: str,
    *,
    errors: Sequence[dict[str, str]] = (),
    kind: str = "about:blank",
) -> NoReturn:
    raise HTTPException(
        response=problem_json(status, TITLES[status], detail=detail, errors=errors, kind=kind)
    )


def _refused_filing(refusal: FilingRefusedError) -> Response:
    members = [
        {
            "pointer": f"/{one.field}" if one.field else "",
            "code": one.code,
            "detail": translate(one.message),
            "severity": one.severity.value,
            "value": one.value,
            "fix": translate(one.fix),
            "spec_ref": one.spec_ref,
        }
        for one in refusal.faults
    ]
    return problem_json(422, TITLES[422], detail=translate(refusal.message), errors=members)


def _given(found: Filing) -> GivenFiling:
    session = current_work().session
    standing = queries.standings(session, [found])[found.id]
    return GivenFiling.of(found, standing, queries.faults_of_row(session, found))


def _answer(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status=status, mimetype=JSON)

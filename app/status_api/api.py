"""The addresses of the internal API. One question, one answer; every lookup is recorded."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from flask_openapi import APIBlueprint
from pydantic import BaseModel

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.facilitation import queries, service
from app.facilitation.service import OtherContentError
from app.kernel.errors import UnavailableError
from app.kernel.identifiers import Identifier, MalformedIdentifierError, Scheme, parse
from app.register.queries import changes as changes_after
from app.register.versions import newest_version
from app.status_api import answering, lookups, openapi
from app.status_api.bodies import JSON, NDJSON, media_type, read_body, refuse
from app.status_api.kept import chance, lookup_record, signer, status_lists
from app.status_api.lines import AnsweredLines
from app.status_api.of_map import (
    lines_of_map,
    of_the_map,
    recorder,
    register_map,
    stale,
    statuses_of_map,
)
from app.status_api.register_map import StaleMapError
from app.status_api.schemas import (
    AskedIdentifier,
    ChangesQuery,
    DecisionPath,
    DecisionsBody,
    GivenChange,
    GivenChanges,
    GivenDecision,
    GivenDecisions,
    GivenReplay,
    GivenStatus,
    GivenStatuses,
    Problem,
    StatusesBody,
    StatusPath,
    StatusQuery,
    StoredDecision,
)
from app.status_api.status_list import MEDIA as STATUS_LIST
from app.status_api.streaming import ENDLESS, streamed
from app.web.access import note_access, requires
from app.web.described import described
from app.web.errors import domain_error, problem_json
from app.web.fragments import render
from app.web.requests import current_actor, current_work
from app.web.wiring import wiring

STATUSES_LIMIT = 4 * 1024 * 1024
DECISIONS_LIMIT = 16 * 1024 * 1024
SIGNED = "application/jwt"
RETRY_AFTER_SECONDS = "1"
MOST_WAIT_SECONDS = 1.0


def refusals(*statuses: int) -> dict[str | int, Any]:
    """The refusals that an address documents besides those that every address has."""
    return {str(status): Problem for status in (400, 401, 403, *statuses)}


blueprint = APIBlueprint(
    "status_api", __name__, url_prefix=openapi.PREFIX, abp_security=[{"bearer": []}]
)


@blueprint.get(
    "/partners/<scheme>/<value>/status",
    operation_id="getStatus",
    responses={"200": GivenStatus, **refusals(404, 503)},
)
@requires(Permission.STATUS_READ)
def status(path: StatusPath, query: StatusQuery) -> Response:
    """One partner's standing.

    A well-formed identifier that nobody holds is answered `not_a_partner`. Identifiers of
    social-security form never stand in an address: ask for them with POST /statuses. With
    `Accept: application/jwt` the answer is signed for the asking client and good for a minute.
    """
    signed = request.accept_mimetypes[SIGNED] > request.accept_mimetypes[JSON]
    if signed and (query.valid_at or query.known_at):
        refuse(
            400,
            "Bad Request",
            "A signed answer is always for now. Ask about another instant without signature.",
            kind="urn:fairway:signed-is-now",
        )
    if lookups.looks_personal(path.scheme, path.value):
        refuse(
            400,
            "Bad Request",
            "A number of social-security form does not belong in an address, where it would be"
            " logged. Ask for it with POST /api/v1/statuses.",
            kind="urn:fairway:identifier-in-address",
            errors=[
                {"pointer": "/value", "code": "personal", "detail": "Use POST /api/v1/statuses."}
            ],
        )
    try:
        identifier = parse(Scheme[path.scheme.upper()], path.value)
    except MalformedIdentifierError as error:
        refuse(
            400,
            "Bad Request",
            error.message,
            errors=[{"pointer": "/value", "code": error.code, "detail": error.fix}],
        )
    if of_the_map(query):
        return status_of_map(identifier, query, signed=signed)
    asked = AskedIdentifier(scheme=path.scheme, value=path.value)
    [found], seen = lookups.look_up(current_work(), [asked], query, lookup_record())
    not_ahead_of_map(seen[0].seq or 0)
    note_lookups(seen)
    if signed and isinstance(found, GivenStatus):
        work = current_work()
        token = signer().sign(
            found,
            audience=work.actor.public_id,
            now=work.now,
            version=version_of(found.partner_id, found.seq),
        )
        return Response(token, mimetype=SIGNED)
    return answer(found)


def status_of_map(identifier: Identifier, query: StatusQuery, *, signed: bool) -> Response:
    """The answer for now, from the map that the feeder keeps, or 503 when it is not confirmed."""
    reader, now = register_map(), wiring().clock.now()
    assert reader is not None  # noqa: S101 - asked before; said for the type checker.
    try:
        found = answering.from_map(reader, identifier, now=now, min_seq=query.min_seq)
    except StaleMapError as error:
        raise stale() from error
    name = (identifier.scheme.value, identifier.value)
    seen = Seen(
        lookups.SUBJECT,
        lookup_record().subject(*name),
        found.answer,
        trader_id=found.partner_id,
        seq=found.seq,
    )
    note_lookups([seen])
    if signed:
        token = signer().of_found(
            found, name, audience=current_actor().public_id, now=now, version_of=version_of
        )
        return Response(token, mimetype=SIGNED)
    return Response(found.body, mimetype=JSON)


def version_of(partner_id: uuid.UUID | None, seq: int) -> int | None:
    """The entry in the status list of what is known of a partner at change `seq`."""
    if partner_id is None:
        return None
    return newest_version(current_work().session, partner_id, upto=seq)


def note_lookups(seen: Sequence[Seen]) -> None:
    """Keep who asked about whom, for one look-up as for ten thousand.

    `UnavailableError` when records cannot be written: then nothing is answered either.
    """
    client_id = current_actor().client_id
    assert client_id is not None  # noqa: S101 - only clients have the scope; for the type checker.
    recorder().note(client_id, seen, now=wiring().clock.now())


def note_shown(seen: Sequence[Seen]) -> None:
    """Keep who asked about whom, once the map knows as much as what is about to be told."""
    not_ahead_of_map(max((one.seq or 0 for one in seen), default=0))
    note_lookups(seen)


def not_ahead_of_map(seq: int) -> None:
    """Wait until the map knows what the database has just told, so that no client sees less later.

    `UnavailableError` with code `not-yet` when that takes too long.
    """
    reader = register_map()
    if reader is not None and not reader.wait_for(seq, seconds=MOST_WAIT_SECONDS):
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.", code="not-yet", min_seq=seq
        )


@blueprint.post(
    "/statuses",
    operation_id="getStatuses",
    responses={"200": GivenStatuses, **refusals(413, 415, 503)},
)
@requires(Permission.STATUS_READ)
def statuses(query: StatusQuery) -> Response:
    """Up to 10,000 standings, in the order of the question, all of one instant.

    A member that is no identifier is answered `malformed` in its place. With
    `application/x-ndjson`, one identifier a line in and one answer a line out, as many as you
    like: they are answered while they come in, a thousand at most of one instant. Read while you
    send. Count the answers: a stream that cannot go on ends with a problem as its last line.
    """
    if media_type(JSON, NDJSON) == JSON:
        asked = [*read_body(StatusesBody, limit=STATUSES_LIMIT).identifiers]
        if of_the_map(query):
            told = statuses_of_map(asked, query)
            return Response(b'{"statuses":[%b]}' % b",".join(told.answers), mimetype=JSON)
        given, seen = lookups.look_up(current_work(), asked, query, lookup_record())
        body = answer(GivenStatuses(statuses=given))
        note_shown(seen)
        return body
    request.max_content_length = ENDLESS
    return streamed(
        request.stream,
        AnsweredLines(
            query,
            lookup_record(),
            note_shown,
            lines_of_map if of_the_map(query) else None,
        ),
    )


@blueprint.get(
    "/changes", operation_id="getChanges", responses={"200": GivenChanges, **refusals(503)}
)
@requires(Permission.FEED_READ)
def changes(query: ChangesQuery) -> Response:
    """The change feed: dense, in order, replayable from 0, meant to be polled.

    Go on with `after` = `next`. An `after` beyond the newest change is answered `not-yet`, since
    whoever has seen more than we have must not believe us.
    """
    work = current_work()
    found, newest = changes_after(work.session, after=query.after, limit=query.limit, now=work.now)
    if query.after > newest.seq:
        raise UnavailableError(
            "The register has not reached change %(min_seq)s yet.",
            code="not-yet",
            min_seq=query.after,
        )
    return answer(
        GivenChanges(
            changes=[GivenChange.model_validate(one) for one in found],
            next=found[-1].seq if found else query.after,
            head=newest.seq,
            at=work.now,
        )
    )


@blueprint.post(
    "/decisions",
    operation_id="decide",
    responses={"200": GivenDecisions, **refusals(409, 413, 415, 503)},
)
@requires(Permission.DECISIONS_WRITE)
def decide() -> Response:
    """What 1 to 1,000 transactions get, all of them or none.

    A `transaction_id` that you sent before gets the stored decision; with other content, 409.
    """
    body = read_body(DecisionsBody, limit=DECISIONS_LIMIT)
    made = service.decide(current_work(), body.transactions, chance=chance())
    return answer(GivenDecisions(decisions=[GivenDecision.of(one) for one in made]))


@blueprint.get(
    "/decisions/<decision_id>",
    operation_id="getDecision",
    responses={"200": StoredDecision, **refusals(404)},
)
@requires(Permission.DECISIONS_READ)
def decision(path: DecisionPath) -> Response:
    """A stored decision with everything that it follows from."""
    found = queries.visible_decision(current_work(), path.decision_id)
    note_access(Seen("decision", str(found.id), "shown", seq=found.seq))
    return answer(StoredDecision.of(found))


@blueprint.post(
    "/decisions/<decision_id>/replay",
    operation_id="replayDecision",
    responses={"200": GivenReplay, **refusals(404)},
)
@requires(Permission.DECISIONS_READ)
def replay(path: DecisionPath) -> Response:
    """The same inputs run through the same policy again: equal, or explained."""
    work = current_work()
    found = queries.visible_decision(work, path.decision_id)
    again = service.replay(work, found, chance=chance())
    note_access(
        Seen("decision", str(found.id), "equal" if again.equal else "different", seq=found.seq)
    )
    return answer(GivenReplay.of(found, again))


@blueprint.get(
    "/status-list", operation_id="getStatusList", responses={"200": None, **refusals(503)}
)
@requires(Permission.STATUS_READ)
def status_list() -> Response:
    """The signed list for offline use: whether the answers that you keep still stand.

    A Token Status List. A signed answer names its entry in `status.status_list.idx`; anything but
    0 there, or no entry, means no facilitation. Ask each minute; a list is over after fifteen.
    """
    work = current_work()
    made = status_lists().at(work.session, work.now)
    note_access(Seen("status-list", "all", "given", seq=made.seq))
    return Response(made.token, mimetype=STATUS_LIST)


@blueprint.get("/keys", doc_ui=False)
@requires(Permission.PUBLIC)
def keys() -> Response:
    """The public keys of signed answers, as a JSON Web Key Set. Take them once, and keep them."""
    return Response(json.dumps(signer().public()), mimetype=JSON)


@blueprint.get("/openapi.json", doc_ui=False)
@requires(Permission.PUBLIC)
def description() -> Response:
    """The description of this API for programs (OpenAPI 3.1)."""
    return Response(json.dumps(described("internal", openapi.document)), mimetype=JSON)


@blueprint.get("/docs", doc_ui=False)
@requires(Permission.PUBLIC)
def documentation() -> Response:
    """The description of this API for people."""
    return render(
        "status_api/docs.html",
        api=described("internal", openapi.document),
        description=url_for("status_api.description"),
    )


@blueprint.errorhandler(UnavailableError)
def unavailable(error: UnavailableError) -> Response:
    """503, with the word on when to come back."""
    response = domain_error(error)
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


@blueprint.errorhandler(OtherContentError)
def other_content(error: OtherContentError) -> Response:
    """409, with a pointer to the transaction."""
    detail = error.message % error.params
    place = f"/transactions/{error.index}/transaction_id"
    return problem_json(
        409,
        "Conflict",
        detail=detail,
        errors=[{"pointer": place, "code": "other-content", "detail": "Give it an id of its own."}],
    )


def answer(model: BaseModel) -> Response:
    """The model as JSON."""
    return Response(model.model_dump_json(), mimetype=JSON)

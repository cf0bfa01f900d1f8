"""Fairway: the trusted-trader partnership portal. `create_app` is the one place that knows all.

The imports stand inside the function, so that a pure rule, or the process that parses a hostile
file, can be imported without the web.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy import Engine

    from app.config import Settings
    from app.kernel.clock import Clock
    from app.web.requests import FairwayApp

__version__ = "0.1.0"
ROOT = Path(__file__).resolve().parents[1]

Surface = Literal["portal", "console", "api", "all"]


def create_app(
    surface: Surface,
    *,
    settings: Settings,
    engine: Engine,
    clock: Clock | None = None,
    register_map: Path | None = None,
) -> FairwayApp:
    """Build one deployable surface, or all three in one process.

    `register_map` is the folder in which this host's feeder keeps the register; without it every
    look-up asks the database. A route that declares no permission stops the factory (`UndeclaredRouteError`).
    """
    from app.delegations.queries import grants_of
    from app.identity.oidc.providers import register_providers
    from app.identity.recognise import recogniser, register_sign_in
    from app.kernel.clock import SystemClock
    from app.notifications import letters
    from app.reactions import REACTIONS
    from app.tables import Base
    from app.traders.queries import appointments_of, trader_named
    from app.traders.sealing import equip
    from app.web.app import build, register, seal
    from app.web.wiring import Wiring

    Base.registry.configure()
    equip(settings.secret_key)
    letters.equip(settings.address)
    wiring = Wiring(
        settings=settings,
        engine=engine,
        clock=clock or SystemClock(),
        reactions=REACTIONS,
        recognise=recogniser(appointments_of, grants_of),
        trader_named=trader_named,
    )
    app = build(wiring, surface=surface, root=ROOT, version=__version__)
    register_sign_in(app)
    register_providers(app, settings)
    for blueprint in blueprints(surface, demo=settings.demo_mode):
        register(app, blueprint)
    seal(app)
    if register_map is not None and surface in {"api", "all"}:
        from app.status_api.entering import feed

        feed(app, register_map)
    return app


def blueprints(surface: Surface, *, demo: bool) -> list[Blueprint]:
    """The blueprints of a surface, in the order in which a person meets them.

    Signing in is needed by portal and console alike, tokens by portal and api.
    """
    from app.status_api.probes import blueprint as probes

    found: list[Blueprint] = [probes]
    if surface in {"portal", "console", "all"}:
        from app.documents.views import blueprint as documents
        from app.home.views import blueprint as home
        from app.identity.oidc.views import blueprint as oidc
        from app.identity.views import blueprint as identity

        found += [home, identity, oidc, documents]
    if surface in {"portal", "api", "all"}:
        from app.identity.api import blueprint as oauth

        found += [oauth]
    if surface in {"portal", "all"}:
        from app.activity.views import own as activity
        from app.advance_data.api import blueprint as trader_api
        from app.advance_data.views import blueprint as advance_data
        from app.api_access.views import traders as api_access
        from app.applications.views import blueprint as applications
        from app.assessments.views import blueprint as assessments
        from app.comments.views import blueprint as comments
        from app.crosswalk.views import blueprint as crosswalk
        from app.delegations.views import blueprint as delegations
        from app.gaps.views import own as gaps
        from app.plans.views import blueprint as plans
        from app.register.views import blueprint as standing
        from app.traders.views import blueprint as traders
        from app.verifications.views import blueprint as verifications

        found += [traders, delegations, verifications, standing, applications, assessments, gaps]
        found += [plans, crosswalk, comments]
        found += [advance_data, trader_api, api_access, activity]
    if surface in {"console", "all"}:
        from app.activity.views import log as activity_log
        from app.api_access.views import agency as agency_clients
        from app.casework.views import blueprint as casework
        from app.gaps.views import console as case_gaps
        from app.successions.views import blueprint as successions
        from app.webhooks.views import blueprint as webhooks

        found += [casework, case_gaps, successions, agency_clients, webhooks, activity_log]
    if surface in {"api", "all"}:
        from app.status_api.api import blueprint as internal

        found += [internal]
    if demo and surface in {"portal", "all"}:
        from app.demo.views import blueprint as demonstration

        found += [demonstration]
    return found

"""Build the Flask application around a wiring: everything but the features."""

from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, request
from flask_babel import Babel
from flask_openapi import APIBlueprint, Info
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.authz.actor import ActorKind
from app.web.access import check_declared, enforce, is_api, note_broker
from app.web.assets import register_assets
from app.web.errors import register_error_handlers
from app.web.filters import register_filters
from app.web.headers import add_headers
from app.web.logs import register_logs
from app.web.navigation import acting_as, acting_for, acting_trader_id, navigation
from app.web.requests import FairwayApp, close_work, current_actor
from app.web.strict import FairwayRequest, check_form, check_host, check_query
from app.web.validation import SECURITY_SCHEMES, refuse_malformed
from app.web.wiring import Wiring, wiring

EVIDENCE_LIMIT = 25 * 1024 * 1024
FORM_LIMIT = 2 * 1024 * 1024
csrf = CSRFProtect()


def build(wired: Wiring, *, surface: str, root: Path, version: str) -> FairwayApp:
    """An application with the glue in place and no feature yet; `seal` it after registering."""
    settings = wired.settings
    if not settings.secret_key:
        msg = "Without a secret key nothing can be signed; see `app.cli.runtime.with_secret`."
        raise ValueError(msg)
    app = FairwayApp(
        "app",
        root_path=str(root / "app"),
        template_folder=str(root / "templates"),
        static_folder=None,
        info=Info(title="Fairway", version=version),
        security_schemes=SECURITY_SCHEMES,
        validation_error_status=400,
        validation_error_callback=refuse_malformed,
        doc_ui=False,
    )
    app.request_class = FairwayRequest
    app.openapi_version = "3.1.0"
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=EVIDENCE_LIMIT + FORM_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        MAX_FORM_PARTS=4000,
        # Long forms outlive the library's default of an hour; the session's own end is the limit.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=True,
        BABEL_DEFAULT_TIMEZONE="UTC",
        SURFACE=surface,
        VERSION=version,
    )
    app.extensions["fairway"] = wired
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    Babel(app, locale_selector=lambda: "en")
    csrf.init_app(app)
    register_assets(app)
    register_filters(app)
    register_error_handlers(app)
    register_logs(app)
    app.before_request(check_host)
    app.before_request(check_query)
    app.before_request(enforce)
    app.before_request(check_form)
    app.before_request(_protect_from_forgery)
    app.after_request(add_headers)
    app.after_request(note_broker)
    app.teardown_request(close_work)
    app.context_processor(_page_context)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    return app


def register(app: FairwayApp, blueprint: Blueprint) -> None:
    """Add one feature's blueprint; an API's goes through the OpenAPI registry."""
    if isinstance(blueprint, APIBlueprint):
        app.register_api(blueprint)
    else:
        app.register_blueprint(blueprint)


def seal(app: FairwayApp) -> None:
    """Refuse to start unless every route declares its permission."""
    check_declared(app)


def _protect_from_forgery() -> None:
    """Programs send a bearer token and never a cookie, so only pages need the form token."""
    if not is_api() and request.endpoint not in {None, "static"}:
        csrf.protect()


def _page_context() -> dict[str, Any]:
    actor = current_actor()
    signed_in = actor.kind is ActorKind.PERSON
    return {
        "current_person": actor if signed_in else None,
        "acting_for": acting_for(acting_trader_id()) if signed_in else None,
        "acting_as": acting_as,
        "navigation": navigation() if signed_in else (),
        "demo": wiring().settings.demo_mode,
        "footer_links": (),
        "locale": "en",
        "app_version": current_app.config["VERSION"],
    }

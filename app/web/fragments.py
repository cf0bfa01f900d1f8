"""One template per page; an htmx request gets one of its blocks, everyone else the whole page."""

from typing import Any

from flask import Response, current_app, make_response, render_template, request
from jinja2_fragments import render_block


def wants_fragment() -> bool:
    """Whether htmx asked for a part; boosted and history-restore requests want the whole page."""
    return request.headers.get("HX-Request-Type") == "partial"


def render(
    template: str,
    *,
    fragment: str | None = None,
    status: int = 200,
    **context: Any,  # noqa: ANN401 - whatever the page shows.
) -> Response:
    """Render a page, or its block `fragment` when htmx asked for a part.

    The fragment's root element has an id equal to the block's name, which a guard checks.
    """
    if fragment and wants_fragment():
        current_app.update_template_context(context)
        body = render_block(current_app.jinja_env, template, fragment, **context)
    else:
        body = render_template(template, **context)
    response = make_response(body, status)
    response.headers.add("Vary", "HX-Request-Type")
    return response

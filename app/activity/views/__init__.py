"""The pages on the record; importing this module registers them on the two blueprints."""

from app.activity.views.log import blueprint as log
from app.activity.views.own import blueprint as own

__all__ = ["log", "own"]

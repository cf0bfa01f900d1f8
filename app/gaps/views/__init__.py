"""The pages of gap reports; importing this module registers them on the two blueprints."""

from app.gaps.views.console import blueprint as console
from app.gaps.views.own import blueprint as own
from app.gaps.views.plan import make, promise

__all__ = ["console", "make", "own", "promise"]

"""The pages about applications; importing this module registers all of them on `blueprint`."""

from app.applications.views import moving, preparing, starting, submitting
from app.applications.views.frame import blueprint

__all__ = ["blueprint", "moving", "preparing", "starting", "submitting"]

"""The pages about API clients: `traders` for the officers of one, `agency` for the console."""

from app.api_access.views.agency import blueprint as agency
from app.api_access.views.traders import blueprint as traders

__all__ = ["agency", "traders"]

"""The pages of signing up, signing in and keeping one's access safe."""

from app.identity.views import factors, going_on, joining, security, signing_in, signing_up
from app.identity.views.blueprint import blueprint

__all__ = ["blueprint", "factors", "going_on", "joining", "security", "signing_in", "signing_up"]

"""The pages of signing up, signing in and keeping one's access safe."""

from app.identity.views import joining, security, signing_in, signing_up
from app.identity.views.blueprint import blueprint

__all__ = ["blueprint", "joining", "security", "signing_in", "signing_up"]

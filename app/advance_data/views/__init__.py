"""The pages about advance data; importing this module registers every one on `blueprint`."""

from app.advance_data.views import batches, filings, uploads
from app.advance_data.views.frame import blueprint

__all__ = ["batches", "blueprint", "filings", "uploads"]

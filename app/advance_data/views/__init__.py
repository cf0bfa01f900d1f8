"""The pages about advance data; importing this module registers every one on `blueprint`."""

from app.advance_data.views import batches, corrections, filings, quality, uploads
from app.advance_data.views.frame import blueprint

__all__ = ["batches", "blueprint", "corrections", "filings", "quality", "uploads"]

"""The pages of the self-assessment; importing this module registers every one on `blueprint`."""

from app.assessments.views import leaving, sections, sharing, workbook
from app.assessments.views.frame import blueprint

__all__ = ["blueprint", "leaving", "sections", "sharing", "workbook"]

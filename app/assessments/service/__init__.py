"""What can be done to an assessment: answer, attach, complete, lock and reopen."""

from app.assessments.service.answers import save_answers
from app.assessments.service.carrying import (
    carry_over,
    confirm_carried,
    set_aside,
    supersede,
)
from app.assessments.service.evidence import attach_evidence, detach_evidence, upload_evidence
from app.assessments.service.life import lock, reopen, start
from app.assessments.service.page import PageInput, Upload, save_page
from app.assessments.service.sections import complete_section, reopen_section, section_gaps
from app.assessments.service.sharing import SectionTask, share_out
from app.assessments.service.workbook import (
    apply_workbook,
    discard_workbook,
    receive_workbook,
)

__all__ = [
    "PageInput",
    "SectionTask",
    "Upload",
    "apply_workbook",
    "attach_evidence",
    "carry_over",
    "complete_section",
    "confirm_carried",
    "detach_evidence",
    "discard_workbook",
    "lock",
    "receive_workbook",
    "reopen",
    "reopen_section",
    "save_answers",
    "save_page",
    "section_gaps",
    "set_aside",
    "share_out",
    "start",
    "supersede",
    "upload_evidence",
]

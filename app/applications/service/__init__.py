"""What can be done about applying: check, start, sign, submit, answer a return, decide."""

from app.applications.service.beginning import check_eligibility, start
from app.applications.service.criteria import tell_of_criteria
from app.applications.service.moving import move_to_criteria
from app.applications.service.outcome import grant, refuse, withdraw
from app.applications.service.returning import Point, reply_to_task, return_to_trader
from app.applications.service.signing import sign_agreement
from app.applications.service.submitting import submit

__all__ = [
    "Point",
    "check_eligibility",
    "grant",
    "move_to_criteria",
    "refuse",
    "reply_to_task",
    "return_to_trader",
    "sign_agreement",
    "start",
    "submit",
    "tell_of_criteria",
    "withdraw",
]

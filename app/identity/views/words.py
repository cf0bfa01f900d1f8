"""What sessions, events and roles are called on a page."""

import re

from flask_babel import gettext

from app.audit.tags import SecurityTag
from app.authz.actor import AgencyRole

BROWSERS = (
    ("Edge", re.compile(r"\bEdgA?/|\bEdgiOS/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Firefox", re.compile(r"\bFirefox/|\bFxiOS/")),
    ("Chrome", re.compile(r"\bChrome/|\bCriOS/|\bChromium/")),
    ("Safari", re.compile(r"\bVersion/.*\bSafari/")),
)
SYSTEMS = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("Mac", re.compile(r"\bMacintosh\b|\bMac OS X\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)


def browser_words(user_agent: str) -> str:
    """A browser's description of itself in words; it may lie, so it is only for recognition."""
    browser = next((name for name, sign in BROWSERS if sign.search(user_agent)), None)
    system = next((name for name, sign in SYSTEMS if sign.search(user_agent)), None)
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or gettext("Unknown browser")


def role_words(role: AgencyRole) -> str:
    """A role at the agency."""
    return {
        AgencyRole.REVIEWER: gettext("reviewer"),
        AgencyRole.SUPERVISOR: gettext("supervisor"),
        AgencyRole.PROGRAMME_MANAGER: gettext("programme manager"),
        AgencyRole.AUDITOR: gettext("auditor"),
    }[role]


def method_words(method: str) -> str:
    """By what a session began."""
    return {
        "password": gettext("password, not finished"),
        "invitation": gettext("invitation, not finished"),
        "password+totp": gettext("password and authenticator app"),
        "password+recovery-code": gettext("password and recovery code"),
        "passkey": gettext("passkey"),
        "oidc": gettext("another provider"),
        "demo": gettext("demonstration"),
    }.get(method, "")


def event_words(tag: str) -> str:
    """What a security event tells the person it is about."""
    return {
        SecurityTag.SIGNED_IN: gettext("Signed in"),
        SecurityTag.SIGN_IN_FAILED: gettext("Sign-in with a wrong password"),
        SecurityTag.SIGN_IN_LOCKED: gettext("Sign-in locked after five wrong passwords"),
        SecurityTag.PROVIDER_REFUSED: gettext("Sign-in through a provider was refused"),
        SecurityTag.FIRST_PROOF: gettext("Password given; second proof still open"),
        SecurityTag.SECOND_FACTOR_FAILED: gettext("Wrong code or passkey"),
        SecurityTag.RECOVERY_CODE_USED: gettext("Recovery code used"),
        SecurityTag.SIGNED_OUT: gettext("Signed out"),
        SecurityTag.SESSION_REVOKED: gettext("A session was ended"),
        SecurityTag.SESSION_EXPIRED: gettext("A session ended by itself"),
        SecurityTag.STEPPED_UP: gettext("Identity confirmed again"),
        SecurityTag.STEP_UP_FAILED: gettext("Confirmation that was not right"),
        SecurityTag.RESET_REQUESTED: gettext("A new password was asked for"),
        SecurityTag.ACCESS_DENIED: gettext("Asked for a page that your role does not include"),
    }.get(SecurityTag(tag)) or gettext("Something else happened")

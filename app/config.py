"""Settings, read once from the environment; an unknown `FAIRWAY_*` name is an error."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "FAIRWAY_"


AAL = "http://idmanagement.gov/ns/assurance/aal"
PHISHING_RESISTANT = f"{AAL}/2?phishing_resistant=true {AAL}/3 phr phrh"
LOGINS = tuple(f"database_{part}_url" for part in ("portal", "console", "api", "worker", "entry"))
MULTI_FACTOR = f"{AAL}/2 {PHISHING_RESISTANT}"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """One OpenID Provider: who it is, who we are to it, and which proofs of it are enough.

    `key` is the path of the file with our private key there. `hosts` are further hosts, beside the
    issuer's own, that its description of itself may name.
    """

    issuer: str
    client_id: str
    key: str
    name: str
    acr: tuple[str, ...]
    hosts: tuple[str, ...] = ()


class UnknownSettingError(ValueError):
    """The environment holds a `FAIRWAY_*` name that no setting has."""


class Settings(BaseSettings):
    """What an operator decides. Every name is `FAIRWAY_` + the field in capitals.

    `host` and `port` are read from plain `HOST` and `PORT`, as the contract says.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    home: Path = Path("var")
    database_url: str | None = None
    database_owner_url: str | None = None
    database_portal_url: str | None = None
    database_console_url: str | None = None
    database_api_url: str | None = None
    database_worker_url: str | None = None
    database_entry_url: str | None = None
    public_url: str | None = None
    surface: Literal["portal", "console", "api", "all"] = "all"
    secret_key: str | None = None
    keys_dir: Path | None = None
    trusted_proxies: int = 0
    lane: Literal["on", "off"] = "on"
    demo: bool | None = None
    files_url: str | None = None
    smtp_url: str | None = None
    clamd: str | None = None
    oidc_trader_issuer: str | None = None
    oidc_trader_client_id: str | None = None
    oidc_trader_key: str | None = None
    oidc_trader_name: str = "Login.gov"
    oidc_trader_acr: str = MULTI_FACTOR
    oidc_trader_hosts: str = ""
    oidc_agency_issuer: str | None = None
    oidc_agency_client_id: str | None = None
    oidc_agency_key: str | None = None
    oidc_agency_name: str = "your agency account"
    oidc_agency_acr: str = PHISHING_RESISTANT
    oidc_agency_hosts: str = ""
    webhook_hosts: str = ""
    webhook_networks: str = ""
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    port: int = Field(default=8000, validation_alias="PORT")

    @property
    def loopback(self) -> bool:
        """Whether the server will be reachable from this machine alone."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def demo_mode(self) -> bool:
        """Demo needs the embedded database and a loopback host; both are its default."""
        wanted = True if self.demo is None else self.demo
        return wanted and self.loopback and self.database_url is None

    @property
    def address(self) -> str:
        """The public address without a trailing slash; passkeys and links are made from it."""
        if self.public_url:
            return self.public_url.rstrip("/")
        name = "localhost" if self.loopback else self.host
        return f"http://{name}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over https, so that cookies may say so."""
        return self.address.startswith("https://")

    def oidc(self, side: Literal["trader", "agency"]) -> OidcSettings | None:
        """The provider for traders or for the agency's people; `None` when there is none."""
        issuer = getattr(self, f"oidc_{side}_issuer")
        if issuer is None:
            return None
        return OidcSettings(
            issuer=issuer,
            client_id=getattr(self, f"oidc_{side}_client_id"),
            key=getattr(self, f"oidc_{side}_key"),
            name=getattr(self, f"oidc_{side}_name"),
            acr=tuple(getattr(self, f"oidc_{side}_acr").split()),
            hosts=tuple(getattr(self, f"oidc_{side}_hosts").split()),
        )

    @model_validator(mode="after")
    def providers_are_whole_and_apart(self) -> Self:
        """Half a provider is a mistake, and one for both sides would join what must be apart."""
        for side in ("trader", "agency"):
            names = [f"oidc_{side}_{part}" for part in ("issuer", "client_id", "key")]
            missing = [f"{PREFIX}{name.upper()}" for name in names if not getattr(self, name)]
            if missing and len(missing) < len(names):
                msg = f"An OpenID Provider needs issuer, client id and key: {', '.join(missing)}."
                raise ValueError(msg)
            if missing:
                continue
            if not getattr(self, f"oidc_{side}_acr").split():
                msg = f"{PREFIX}OIDC_{side.upper()}_ACR must name the proofs that are enough."
                raise ValueError(msg)
            address = urlsplit(getattr(self, names[0]))
            if address.scheme != "https" and address.hostname not in {"localhost", "127.0.0.1"}:
                msg = f"{PREFIX}OIDC_{side.upper()}_ISSUER must begin with https://."
                raise ValueError(msg)
        if self.oidc_trader_issuer and self.oidc_trader_issuer == self.oidc_agency_issuer:
            msg = "Traders and the agency's people cannot sign in through the same issuer."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def webhook_networks_are_networks(self) -> Self:
        for one in self.webhook_networks.split():
            try:
                ip_network(one)
            except ValueError as error:
                msg = f"{PREFIX}WEBHOOK_NETWORKS: {one} is no network, such as 10.20.0.0/16."
                raise ValueError(msg) from error
        return self

    @model_validator(mode="after")
    def logins_belong_to_a_server(self) -> Self:
        """A login's address without a server of one's own would be left unused, and unnoticed."""
        given = [name for name in LOGINS if getattr(self, name)]
        if given and self.database_url is None:
            names = ", ".join(f"{PREFIX}{name.upper()}" for name in given)
            msg = f"{names} need {PREFIX}DATABASE_URL."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def demo_stays_at_home(self) -> Self:
        if self.demo and (not self.loopback or self.database_url is not None):
            msg = "FAIRWAY_DEMO=1 is only for the embedded database on a loopback host."
            raise ValueError(msg)
        return self


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from the environment; `UnknownSettingError` names every unknown one."""
    names = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(n for n in names if n.startswith(PREFIX) and n not in known)
    if unknown:
        msg = f"Unknown settings: {', '.join(unknown)}"
        raise UnknownSettingError(msg)
    return Settings()

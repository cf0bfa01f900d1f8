"""Settings, read once from the environment; an unknown `FAIRWAY_*` name is an error."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "FAIRWAY_"


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
    oidc_agency_issuer: str | None = None
    oidc_agency_client_id: str | None = None
    oidc_agency_key: str | None = None
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

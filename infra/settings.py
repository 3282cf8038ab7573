"""Every setting, in one place: the environment (`CARELOOP_…`) over what `careloop up` found out for itself."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Frozen; made once per process. Addresses left empty are those of the children `careloop up` starts."""

    model_config = SettingsConfigDict(env_prefix="CARELOOP_", frozen=True)

    env: Environment = Field(
        Environment.DEVELOPMENT,
        description="`production` refuses seeded people, development keys, simulators and plain-text listeners",
    )
    home: Path = Field(Path(".careloop"), description="folder of keys, ports, logs and the servers' data")
    postgres_url: str = Field(
        "", description="an external PostgreSQL 17, as a role that may create roles; empty: our own"
    )
    admin_url: str = Field(
        "", description="the store as a role that may create roles, for migrations; set by the supervisor"
    )
    database_url: str = Field("", description="the store as `careloop_app`; set by the supervisor")
    owner_url: str = Field("", description="the store as `careloop_owner`, for migrations; set by the supervisor")
    temporal_address: str = Field("", description="host:port of the engine; empty: our own development server")
    temporal_namespace: str = Field("careloop", description="the engine's namespace; made with 30 days' retention")
    public_url: str = Field("", description="the only source of absolute addresses (OIDC redirect, FHIR base)")
    web_bind: str = Field("127.0.0.1:0", description="where the web process listens; port 0: chosen once and kept")
    behind_proxy: bool = Field(
        False, description="a proxy before the web process ends TLS; without it production listens on 127.0.0.1 only"
    )
    web_workers: int = Field(2, description="web processes, each with `web_threads` threads")
    web_threads: int = Field(16, description="threads of one web process that answer pages and partners")
    web_streams: int = Field(40, description="live pages of one web process; each holds a thread beside those")
    oidc_issuer: str = Field("", description="the identity provider; empty: the development one")
    oidc_client_id: str = Field("careloop", description="our client id at the identity provider")
    oidc_client_secret_file: Path | None = Field(None, description="file with our client secret there")
    keys_file: Path | None = Field(None, description="the wrapped key ring; default `home/keys/ring.json`")
    master_key_file: Path | None = Field(
        None, description="the key that wraps the ring; default `home/keys/master.key`, made on first start"
    )
    workers: int = Field(1, description="worker processes")
    sandbox: bool = Field(True, description="run workflow code in the engine's sandbox (slower, safer)")
    send_settling: float = Field(
        45.0,
        description="seconds before a partner that must be asked first is asked what became of an interrupted send",
    )
    simulators: bool = Field(True, description="start the simulated partners and identity provider")
    simulator_identity_port: int = Field(
        0, description="port of the simulated identity provider; 0: chosen once and kept"
    )
    simulator_specialist_port: int = Field(
        0, description="port of the simulated specialist's FHIR server; 0: chosen once and kept"
    )
    seed: bool = Field(True, description="fill an empty store with the demo clinics (development only)")
    log_level: str = Field("info", description="debug, info, warning or error")

    @property
    def ring_file(self) -> Path:
        return self.keys_file or self.home / "keys" / "ring.json"

    @property
    def master_file(self) -> Path:
        return self.master_key_file or self.home / "keys" / "master.key"


def runtime_file(home: Path) -> Path:
    """Where the supervisor leaves the addresses it chose, for the commands an operator types."""
    return home / "runtime.json"


def load(home: Path | None = None) -> Settings:
    """The environment first, then what the supervisor of that home has written, then the defaults."""
    chosen = Settings() if home is None else Settings(home=home)
    path = runtime_file(chosen.home)
    if not path.exists():
        return chosen
    known: dict[str, Any] = json.loads(path.read_text())
    given = chosen.model_fields_set
    return Settings(**{**known, **{name: getattr(chosen, name) for name in given}})

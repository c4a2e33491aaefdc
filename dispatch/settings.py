"""What an installation chooses, from environment variables named ALLONS_... (docs/settings.md is made from here)."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start. An empty variable is one that is not there: docker-compose.yml passes those on that nobody has set."""

    model_config = SettingsConfigDict(env_prefix="ALLONS_", extra="ignore", env_ignore_empty=True)

    database_url: str = Field("sqlite:///var/allons.sqlite3", description="SQLite file, or postgresql+psycopg://… with PostGIS.")
    vault_key: SecretStr | None = Field(None, description="The key that seals names and phones, made by `allons vault new-key`; or")
    vault_key_file: Path | None = Field(
        None, description="a file that holds it. A SQLite database has one beside it, made the first time; PostgreSQL needs one of the two."
    )
    retention_months: int = Field(24, ge=1, le=120, description="People are erased so long after their last ride or their entry.")
    roads: Path | None = Field(None, description="Road network made by `allons roads build`, or an extract.")
    redis_url: str | None = Field(
        None, description="Redis for the bell and the cache of road times between several processes; without it both are in process."
    )
    matrix_threads: int = Field(
        1, ge=1, le=64, description="Threads that one matrix of road times may use; one is enough below 500 points."
    )
    round_seconds: float = Field(5.0, ge=0.2, le=3600, description="Wall clock a round may solve.")
    round_iterations: int | None = Field(
        None, ge=1, le=10**9, description="A round tries so often instead: the same result from the same day, for simulations."
    )
    debounce_seconds: float = Field(2.0, ge=0, le=600, description="A round waits this long after a wake, for more requests to come in.")
    sweep_seconds: float = Field(
        10.0, ge=0.1, le=3600, description="Expired offers, waiting legs and rounds of lost workers are looked for this often."
    )
    rounds_at_once: int = Field(1, ge=1, le=64, description="Rounds that this process solves at the same time.")
    workers: bool = Field(False, description="Rounds are run by `allons worker` processes, which need Redis, instead of in this process.")
    offer_minutes: int = Field(240, ge=1, le=20_160, description="A volunteer has this long to answer an offer.")
    longest_wait_seconds: float = Field(30.0, ge=0, le=30, description="A call that waits for a round is answered after this long at most.")
    calls_per_minute: int = Field(1200, ge=10, le=1_000_000, description="Calls of one key or account; beyond, they are answered 429.")
    import_kib: int = Field(1024, ge=64, le=16_384, description="The largest CSV file that is taken, in KiB;")
    import_lines: int = Field(1000, ge=1, le=20_000, description="and the most lines in it. All of a file is one transaction.")
    trusted_proxies: str | None = Field(
        None, description="Addresses of the proxies before the API, with commas: theirs is the word on who calls (X-Forwarded-For)."
    )
    public_url: str | None = Field(None, description="How browsers reach this service, such as https://allons.example.org.")
    oidc_issuer: str | None = Field(None, description="An identity provider (OpenID Connect) that staff may log in with; and")
    oidc_client_id: str | None = Field(None, description="as what this service is known there,")
    oidc_client_secret: SecretStr | None = Field(None, description="and its secret, if it has one.")
    health_port: int | None = Field(
        None, ge=1, le=65535, description="Where /livez, /readyz and /metrics answer besides, for whoever watches this process."
    )
    health_host: str = Field("127.0.0.1", description="The address of that; in a container 0.0.0.0, on a network of its own.")
    planner: bool = Field(True, description="Run rounds in this process.")

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """A password with / # or ? would otherwise be read as the end of the host, and come back in an error much later."""
        if url is not None:
            try:
                parts = urlsplit(url)
                usable = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
            except ValueError:  # what stands where the port should be is no number
                usable = False
            if not usable:
                raise ValueError("must be like redis://:PASSWORD@HOST:6379/0, and in the password %2F for /, %23 for # and %3F for ?")
        return url

"""What an installation chooses, from environment variables named ALLONS_... (docs/settings.md is made from here)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="ALLONS_", extra="ignore")

    database_url: str = Field("sqlite:///var/allons.sqlite3", description="SQLite file, or postgresql+psycopg://… with PostGIS.")
    roads: Path | None = Field(None, description="Road network made by `allons roads build`, or an extract.")
    redis_url: str | None = Field(
        None, description="Redis for the bell and the cache of road times between several processes; without it both are in process."
    )
    matrix_threads: int = Field(
        1, ge=1, le=64, description="Threads that one matrix of road times may use; one is enough below 500 points."
    )
    round_seconds: float = Field(5.0, ge=0.2, le=3600, description="Wall clock a round may solve.")
    debounce_seconds: float = Field(2.0, ge=0, le=600, description="A round waits this long after a wake, for more requests to come in.")
    sweep_seconds: float = Field(30.0, ge=0.1, le=3600, description="Expired offers and waiting legs are looked for this often.")
    offer_minutes: int = Field(240, ge=1, le=20_160, description="A volunteer has this long to answer an offer.")
    planner: bool = Field(True, description="Run rounds in this process.")

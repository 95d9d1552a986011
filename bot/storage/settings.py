"""Where data are kept: `RECADO_STORAGE__*`."""

from pydantic import BaseModel, ConfigDict, Field


class StorageSettings(BaseModel):
    """The two databases. The vault holds wrapped keys and the replay list, and has a backup cycle of its own (decisions.md 15)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(default="", description="MongoDB address of the main database.", repr=False)
    database: str = Field(default="recado", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    vault_uri: str = Field(
        default="", description="MongoDB address of the vault; the main one where left out.", repr=False
    )
    vault_database: str = Field(default="recado_vault", pattern=r"^[A-Za-z0-9_-]{1,60}$")
    pool_size: int = Field(default=12, ge=2, le=100, description="Connections to each server.")
    timeout: float = Field(default=4.0, gt=0, le=60, description="Seconds until a database counts as out of reach.")

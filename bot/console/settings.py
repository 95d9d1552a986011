"""How the console is reached and how long a log-in lasts: `RECADO_CONSOLE__*`."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class ConsoleSettings(BaseModel):
    """The console is served by the public listener under /console/."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Whether /console/ is served.")
    idle_minutes: int = Field(default=30, ge=1, le=240, description="A session ends when nothing was done for so long.")
    session_hours: int = Field(default=8, ge=1, le=24, description="A session ends after so long in any case.")

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def lasts(self) -> timedelta:
        return timedelta(hours=self.session_hours)

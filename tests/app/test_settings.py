"""Settings: read once, misspelt names refused, secrets never shown."""

from pathlib import Path

import pytest

from bot.domain.errors import SettingsProblem
from bot.settings import read_settings


def test_rooms_get_their_settings_from_the_environment(tmp_path: Path) -> None:
    found = read_settings(
        {"RECADO_WEB__PORT": "81", "RECADO_STORAGE__DATABASE": "shop", "PATH": "/bin"}, folder=tmp_path
    )

    assert (found.web.port, found.storage.database, found.environment) == (81, "shop", "production")


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    found = read_settings({"RECADO_WHATSAPP__ACCESS_TOKEN_FILE": str(secret)}, folder=tmp_path)

    assert found.whatsapp.access_token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(found)


def test_a_dotenv_file_counts_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RECADO_WEB__PORT=81\nRECADO_ADMIN__PORT=91\n")
    found = read_settings({"RECADO_WEB__PORT": "82"}, folder=tmp_path)

    assert (found.web.port, found.admin.port) == (82, 91)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("RECADO_WEB__PROT", "81", "RECADO_WEB__PROT is not a setting", id="a misspelt field"),
        pytest.param("RECADO_WBE__PORT", "81", "RECADO_WBE__PORT is not a setting", id="a misspelt room"),
        pytest.param("RECADO_NOTHING", "1", "RECADO_NOTHING is not a setting", id="an unknown name"),
        pytest.param("RECADO_WEB__PORT", "many", "RECADO_WEB__PORT", id="a word for a number"),
        pytest.param("RECADO_ENVIRONMENT", "test", "RECADO_ENVIRONMENT", id="an unknown environment"),
        pytest.param(
            "RECADO_WHATSAPP__ACCESS_TOKEN_FILE", "/nowhere/x", "cannot be read", id="a file that is not there"
        ),
        pytest.param("RECADO_STORAGE__DATABASE", "a b", "RECADO_STORAGE__DATABASE", id="a database name with a space"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read_settings({name: value}, folder=tmp_path)

    assert said in str(caught.value)
    assert value not in str(caught.value) or value in name or len(value) == 1

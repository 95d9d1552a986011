"""`recado subject`, as far as it needs no database."""

import json

from click.testing import CliRunner

from bot.cli.group import recado
from bot.privacy import export


def test_the_schema_of_a_copy_is_printed_without_any_setting() -> None:
    done = CliRunner().invoke(recado, ["subject", "schema"], env={"RECADO_PROJECT": "/nowhere"})
    assert done.exit_code == 0
    assert json.loads(done.output) == export.json_schema()

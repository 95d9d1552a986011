"""`recado flows schema`: what editors accept is what the reader accepts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bot.cli import recado
from bot.cli.schema import schema_of
from bot.engine import flow
from bot.engine.reading import read
from tests.cli.project import FLOW, ROOT

Schema = dict[str, Any]


def fits(value: Any, schema: Schema, root: Schema) -> bool:
    """Whether a value fits the part of JSON Schema 2020-12 that our schemas use; an unknown keyword fails the test."""
    known = {
        "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "default", "description", "enum", "exclusiveMinimum",
        "items", "maximum", "minItems", "minLength", "minProperties", "minimum", "oneOf", "pattern", "properties", "required",
        "title", "type",
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema and not fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root):
        return False
    if "anyOf" in schema and not any(fits(value, one, root) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(fits(value, one, root) for one in schema["oneOf"]) != 1:
        return False
    if "enum" in schema and not any(value == one and type(value) is type(one) for one in schema["enum"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    return _typed(value, schema) and _inside(value, schema, root)


def _typed(value: Any, schema: Schema) -> bool:
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "null": type(None),
        "boolean": bool,
    }
    if "type" not in schema:
        return True
    return isinstance(value, types[schema["type"]]) and not (
        isinstance(value, bool) and schema["type"] in ("integer", "number")
    )


def _inside(value: Any, schema: Schema, root: Schema) -> bool:
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(
            fits(one, schema.get("items", {}), root) for one in value
        )
    if isinstance(value, dict):
        named, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        if set(schema.get("required", ())) - set(value) or (others is False and set(value) - set(named)):
            return False
        return all(
            fits(one, named.get(key, others if isinstance(others, dict) else {}), root) for key, one in value.items()
        )
    return not isinstance(value, int) or schema.get("minimum", value) <= value <= schema.get("maximum", value)


FLOWS = [
    pytest.param(path, id=path.stem)
    for path in sorted((ROOT / "flows").rglob("*.yaml"))
    if path.stem != "business" and path.parent.name != "tests"
]


STARTER = [
    pytest.param(path, id=f"starter-{path.stem}")
    for path in sorted((ROOT / "bot/cli/starter/flows").glob("[!b]*.yaml"))
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """What editors check with, made once."""
    return Draft202012Validator(schema_of("flow"))


@pytest.mark.parametrize("path", FLOWS + STARTER)
def test_every_shipped_flow_fits_the_schema(path: Path, validator: Draft202012Validator) -> None:
    schema = schema_of("flow")
    data = read(path.name, path.read_bytes()).data

    assert fits(data, schema, schema)
    assert list(validator.iter_errors(data)) == []


def test_the_shipped_business_fits_the_schema() -> None:
    schema = schema_of("business")

    assert fits(read("business.yaml", (ROOT / "flows" / "business.yaml").read_bytes()).data, schema, schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("title: Parcel\n", "", id="no title"),
        pytest.param("title:", "titel:", id="an unknown key"),
        pytest.param("  - say:", "  - sayy:", id="an unknown verb"),
        pytest.param("  - end", "  - finish", id="an unknown bare verb"),
        pytest.param("type: text", "type: texts", id="an unknown type"),
        pytest.param("into: size", "into: [size]", id="a list for a text"),
        pytest.param("keep: until_end", "keep: until_end, sensitive: perhaps", id="neither yes nor no"),
    ],
)
def test_a_wrong_flow_does_not_fit(old: str, new: str, validator: Draft202012Validator) -> None:
    schema = schema_of("flow")
    good, bad = (read("a.yaml", text.encode()).data for text in (FLOW, FLOW.replace(old, new)))

    assert validator.is_valid(good)
    assert not validator.is_valid(bad)

    assert fits(good, schema, schema)
    assert not fits(bad, schema, schema)


@pytest.mark.parametrize("kind", ["flow", "business"])
def test_every_key_is_described(kind: str) -> None:
    """An editor shows the description beside each key it offers."""
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    parts = {"": schema, **schema["$defs"]}
    silent = [f"{part}.{key}" for part, one in parts.items() for key, about in one.get("properties", {}).items()
              if len(about.get("description", "")) < 12]  # fmt: skip

    assert silent == []


def test_no_length_of_time_is_offered_in_a_form_nobody_can_write() -> None:
    assert not re.search(r'"default": "P(\d|T)', json.dumps([schema_of("flow"), schema_of("business")]))


@pytest.mark.parametrize("kind", ["flow", "business"])
def test_the_command_prints_it(kind: str) -> None:
    result = CliRunner().invoke(recado, ["flows", "schema", kind])

    assert result.exit_code == 0
    assert json.loads(result.output) == schema_of(kind)
    assert json.loads(result.output)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_verb_is_in_the_schema() -> None:
    assert {model.__name__ for model in flow.VERBS.values()} <= set(schema_of("flow")["$defs"])

"""The JSON Schema of what people write, for editors: the models' own, with the short forms that the reader also takes."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from bot.domain.business import Business
from bot.engine import flow as schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_YES_NO = {"enum": [True, False, "yes", "no"]}
_ISO_DURATION = re.compile(r"P(\d|T\d)")
_KEPT = ("title", "description", "default")


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a flow file (`flow`) or of business.yaml (`business`)."""
    model: type[BaseModel] = schema.Flow if kind == "flow" else Business
    made: dict[str, Any] = _as_written(model.model_json_schema(by_alias=True))
    return {"$schema": _DIALECT, **made}


def _as_written(node: Any) -> Any:
    """A part of the schema with the forms that the models' validators accept beyond it."""
    if isinstance(node, list):
        return [_as_written(one) for one in node]
    if not isinstance(node, dict):
        return node
    default = node.get("default", "")
    if isinstance(default, dict) or _ISO_DURATION.match(
        str(default)
    ):  # people write `2 days`; editors must not offer P2D
        node = {key: value for key, value in node.items() if key != "default"}
    words = {key: node[key] for key in _KEPT if key in node}
    if node.get("type") == "boolean":
        return {**words, **_YES_NO}
    if _is_steps(node):
        step = {"oneOf": [*_as_written(node["items"]["oneOf"]), {"enum": _bare_verbs()}]}
        return {
            **words,
            "anyOf": [{"type": "array", "items": step}, *step["oneOf"], {"const": schema.CARRY_ON}, {"type": "null"}],
        }
    if node.get("$ref") == "#/$defs/Option":
        return {"anyOf": [{"type": "string", "minLength": 1}, node]}
    return {key: _as_written(value) for key, value in node.items()}


def _is_steps(node: Mapping[str, Any]) -> bool:
    items = node.get("items")
    return isinstance(items, dict) and {"$ref": "#/$defs/Say"} in items.get("oneOf", ())


def _bare_verbs() -> list[str]:
    """The verbs that may stand alone, such as `end`."""
    return [name for name, model in schema.VERBS.items() if not model.model_fields[name].is_required()]

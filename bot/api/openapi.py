"""`openapi.json` (OpenAPI 3.1), made from the table of endpoints and the shapes of bodies: every endpoint, and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.bodies import ProblemDetails
from bot.api.endpoints import BASE, ENDPOINTS, Endpoint, answer_of
from bot.api.problems import CONTENT_TYPE, TITLES
from bot.privacy.access import SCOPES

_REF = "#/components/schemas/{model}"
_EVERYWHERE = ("unauthorized", "forbidden", "too_many", "failed", "not_now")
_WITH_BODY = ("not_json", "key_missing", "too_large", "not_json_type", "invalid", "key_reused", "in_progress")
_DESCRIPTION = (
    "The business's own systems: consents, sign-ups, withdrawals, messages through the gate, flows, and the rights of data subjects. "
    "Numbers never stand in an address line. Every POST carries an Idempotency-Key; what reads personal data carries an X-Purpose."
)


def problems_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Every code it may answer with."""
    found = {*_EVERYWHERE, *endpoint.problems}
    if endpoint.method == "POST":
        found |= set(_WITH_BODY)
    if endpoint.variables:
        found.add("not_found")
    if endpoint.query:
        found.add("invalid")
    if endpoint.personal:
        found.add("purpose_missing")
    return tuple(code for code in TITLES if code in found)


def document(version: str) -> dict[str, Any]:
    """The whole description as JSON data."""
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        paths.setdefault(BASE + one.path, {})[one.method.lower()] = _operation(one)
    own = {"operationId": "openapi", "summary": "This description.", "security": [], "tags": ["openapi"]}
    described = {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}}
    paths[f"{BASE}/openapi.json"] = {"get": {**own, "responses": described}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recado", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"key": _SECURITY}},
        "security": [{"key": []}],
    }


_SECURITY = {
    "type": "http", "scheme": "bearer",
    "description": "A key of `recado api-keys add`. Scopes: " + "; ".join(f"`{name}`: {words}" for name, words in SCOPES.items()) + ".",
}  # fmt: skip


def _operation(one: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(one), "summary": one.summary, "tags": [one.path.split("/")[1]],
        "description": f"Scope: `{one.scope}`.", "security": [{"key": [one.scope]}],
        "responses": {str(one.status): {"description": one.summary, "content": answer_of(one)}, **_failures(problems_of(one))},
    }  # fmt: skip
    parameters = list(_parameters(one))
    if parameters:
        operation["parameters"] = parameters
    if one.body is not None:
        schema = {"$ref": _REF.format(model=one.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _operation_id(one: Endpoint) -> str:
    words = [part.strip("{}") for part in one.path.strip("/").replace("-", "_").split("/")]
    return "_".join([one.method.lower(), *words])


def _parameters(one: Endpoint) -> Iterable[dict[str, Any]]:
    for name, pattern in one.variables.items():
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{pattern}$"}}
    for name, values in one.query.items():
        yield {"name": name, "in": "query", "schema": {"type": "string", "enum": list(values), "default": values[0]}}
    if one.method == "POST":
        yield _header(
            "Idempotency-Key",
            "The same key with the same body gets the same answer for a day, and is done once.",
            "^[!-~]{8,200}$",
        )
    if one.personal:
        yield _header(
            "X-Purpose",
            "Why personal data are read; it names nobody and stands in the log.",
            "^[A-Za-z0-9 .,:;/_()-]{3,120}$",
        )


def _header(name: str, words: str, pattern: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": words,
        "schema": {"type": "string", "pattern": pattern},
    }


def _failures(codes: Sequence[str]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(TITLES[code][0], []).append(code)
    content = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDetails.__name__)}}}
    return {
        str(status): {"description": "; ".join(f"`{code}`: {TITLES[code][1]}" for code in found), "content": content}
        for status, found in sorted(by_status.items())
    }


def _schemas() -> dict[str, Any]:
    models: dict[type[BaseModel], None] = {ProblemDetails: None}
    for one in ENDPOINTS:
        models |= {model: None for model in (one.body, one.answer) if model is not None}
    inputs = {one.body for one in ENDPOINTS}
    wanted: Any = [(model, "validation" if model in inputs else "serialization") for model in models]
    _, made = models_json_schema(wanted, ref_template=_REF)
    found: dict[str, Any] = made["$defs"]
    return found

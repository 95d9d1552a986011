"""`openapi.json`: valid OpenAPI 3.1, made of JSON Schema 2020-12, with every endpoint that is served and no other."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bot.api.endpoints import BASE, ENDPOINTS
from bot.api.openapi import document
from bot.api.problems import TITLES
from bot.api.routes import Door, api_routes
from bot.privacy.access import SCOPES
from tests.api.fakes import GOOD, InMemory, Noted, Standing, served

MEDIA = {
    "type": "object", "required": ["schema"], "additionalProperties": False,
    "properties": {"schema": {"type": "object"}},
}  # fmt: skip
OPERATION = {
    "type": "object", "required": ["operationId", "summary", "responses"], "additionalProperties": False,
    "properties": {
        "operationId": {"type": "string", "pattern": "^[a-z_]+$"}, "summary": {"type": "string", "minLength": 10},
        "description": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "security": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "array"}}},
        "parameters": {"type": "array", "items": {
            "type": "object", "required": ["name", "in", "schema"], "additionalProperties": False,
            "properties": {
                "name": {"type": "string"}, "in": {"enum": ["path", "query", "header"]}, "required": {"type": "boolean"},
                "description": {"type": "string"}, "schema": {"type": "object"},
            },
            "if": {"properties": {"in": {"const": "path"}}},
            "then": {"properties": {"required": {"const": True}}, "required": ["required"]},
        }},
        "requestBody": {"type": "object", "required": ["content"], "additionalProperties": False, "properties": {
            "required": {"type": "boolean"}, "content": {"type": "object", "additionalProperties": MEDIA}}},
        "responses": {"type": "object", "minProperties": 1, "patternProperties": {"^[1-5][0-9]{2}$": {
            "type": "object", "required": ["description"], "additionalProperties": False,
            "properties": {"description": {"type": "string"}, "content": {"type": "object", "additionalProperties": MEDIA}}}},
            "additionalProperties": False},
    },
}  # fmt: skip
OPENAPI = {
    "type": "object", "required": ["openapi", "info", "paths", "components"], "additionalProperties": False,
    "properties": {
        "openapi": {"type": "string", "pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"], "additionalProperties": False,
                 "properties": {name: {"type": "string"} for name in ("title", "version", "description")}},
        "paths": {"type": "object", "patternProperties": {"^/": {
            "type": "object", "additionalProperties": False, "properties": {"get": OPERATION, "post": OPERATION}}},
            "additionalProperties": False},
        "components": {"type": "object", "additionalProperties": False, "properties": {
            "schemas": {"type": "object", "propertyNames": {"pattern": r"^[A-Za-z0-9._-]+$"}},
            "securitySchemes": {"type": "object", "additionalProperties": {"type": "object", "required": ["type", "scheme"]}}}},
        "security": {"type": "array"},
    },
}  # fmt: skip
"""The parts of the OpenAPI 3.1 specification that this document uses, in JSON Schema."""


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document("1.2.3")))
    return made


def references(plain: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        if isinstance(plain.get("$ref"), str):
            yield plain["$ref"]
        for one in plain.values():
            yield from references(one)
    elif isinstance(plain, list):
        for one in plain:
            yield from references(one)


def test_it_is_openapi_3_1(described: dict[str, Any]) -> None:
    Draft202012Validator(OPENAPI).validate(described)
    ids = [one["operationId"] for path in described["paths"].values() for one in path.values()]
    assert len(set(ids)) == len(ids)


def test_its_schemas_are_json_schema_and_all_of_them_are_used(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name, one in schemas.items():
        Draft202012Validator.check_schema(one)
        assert one["type"] == "object", name
        assert one["additionalProperties"] is False, name
    used = {one.rpartition("/")[2] for one in references(described)}
    assert used == set(schemas)


def test_every_endpoint_that_is_served_is_described_and_nothing_else(described: dict[str, Any]) -> None:
    memory = InMemory()
    routes = api_routes(Door(Noted(), memory, memory, memory, memory, memory, Standing()))
    served_ = {
        (one.method, re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", one.path))
        for one in routes
        if one.method != "*"
    }
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert served_ == told
    assert {one.method for one in routes if one.path == BASE} == {"*"}


def test_each_operation_names_the_scope_it_needs(described: dict[str, Any]) -> None:
    for one in ENDPOINTS:
        operation = described["paths"][BASE + one.path][one.method.lower()]
        assert operation["security"] == [{"key": [one.scope]}]
        assert one.scope in SCOPES
    words = described["components"]["securitySchemes"]["key"]["description"]
    assert [one for one in SCOPES if one not in words] == []


def test_every_problem_is_described_where_it_may_come(described: dict[str, Any]) -> None:
    """Those that belong to no endpoint are the ones of paths that do not exist."""
    told: set[str] = set()
    for path in described["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                codes = set(re.findall(r"`(\w+)`: ", response["description"]))
                assert all(str(TITLES[code][0]) == status for code in codes)
                told |= codes
    assert set(TITLES) - told == {"method_not_allowed"}


def test_the_bodies_of_the_tests_fit_their_schemas(described: dict[str, Any]) -> None:
    """What the door takes, the description allows; so whoever follows it is understood."""
    for one in ENDPOINTS:
        if one.body is not None:
            schema = {**described["components"]["schemas"][one.body.__name__], "components": described["components"]}
            Draft202012Validator(schema).validate(GOOD[one.path])


async def test_it_is_served_to_whoever_may_know_of_the_api(described: dict[str, Any]) -> None:
    async with served() as api:
        api.memory.key("requests:read")
        async with api.client.get(f"{BASE}/openapi.json") as answer:
            found = await answer.json()
        assert answer.status == 200
        assert found["paths"] == described["paths"]

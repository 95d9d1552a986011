"""The Graph API's paths that make and change templates, and Meta's review of them.

Source: Meta: message-templates (create, edit, delete) and /components. A new or changed template is PENDING until the review is
over; edits are taken while it is approved, rejected or paused.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bot.simulator.checks import items, mapping, only, utf16, words
from bot.simulator.envelope import Change
from bot.simulator.errors import GraphError, SimulatorError
from bot.simulator.graph import Asked, GraphApi, Reply
from bot.simulator.templates import CATEGORIES, VARIABLE, Template, read_template
from bot.simulator.world import World

EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
MOST = 250
"""Templates of a portfolio that is not verified (Meta: message templates, limits)."""

CREATION = (
    "name", "language", "category", "components", "parameter_format", "allow_category_change", "message_send_ttl_seconds",
)  # fmt: skip
LIVES: Mapping[str, tuple[int, int]] = {
    "AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000),
}  # fmt: skip


def tell_status(world: World, template: Template, reason: str = "NONE") -> None:
    """The webhook `message_template_status_update` about a template."""
    value = _about(world, template) | {"event": template.status, "reason": reason}
    if template.status == "PAUSED":
        value["other_info"] = {"title": "FIRST_PAUSE", "description": "Many people blocked it."}
    world.courier.send(Change("message_template_status_update", value, at=int(world.clock())))


def tell_category(world: World, template: Template, previous: str) -> None:
    """The webhook `template_category_update`."""
    value = _about(world, template) | {"previous_category": previous, "new_category": template.category}
    world.courier.send(Change("template_category_update", value, at=int(world.clock())))


def _about(world: World, template: Template) -> dict[str, object]:
    number = next(
        key for key, one in world.templates() if (one.name, one.language) == (template.name, template.language)
    )
    return {
        "message_template_id": int(number), "message_template_name": template.name,
        "message_template_language": template.language,
    }  # fmt: skip


class TemplateDesk:
    """Creation, edits and deletion of templates."""

    def __init__(self, api: GraphApi) -> None:
        self._world = api.world

    def create(self, asked: Asked) -> Reply:
        """`POST /{waba}/message_templates`."""
        only(asked.body, CREATION, "body")
        for key in ("name", "language", "category"):
            words(asked.body, key, "body", most=512)
        template = _read(asked.body, status="PENDING")
        if self._world.template(template.name, template.language) is not None:
            raise GraphError(100, "There is already a template of this name in this language", http=400)
        if len(self._world.templates()) >= MOST:
            raise GraphError(2388019, "The limit of templates is reached", http=400)
        self._world.put_template(template)
        self._review(template)
        return Reply(200, {"id": self._id(template), "status": "PENDING", "category": template.category})

    def edit(self, asked: Asked, template: Template) -> Reply:
        """`POST /{template_id}`: other components, and another category while it is not approved."""
        only(asked.body, ("components", "category", "message_send_ttl_seconds"), "body")
        if template.status not in EDITABLE:
            raise GraphError(100, f"A template cannot be edited while it is {template.status}")
        category = str(asked.body.get("category", template.category)).upper()
        if category != template.category and template.status == "APPROVED":
            raise GraphError(100, "The category of an approved template cannot be changed")
        whole = {**asked.body, "name": template.name, "language": template.language, "category": category}
        changed = _read(whole, status="PENDING")
        self._world.put_template(changed)
        self._review(changed)
        return Reply(200, {"success": True})

    def delete(self, asked: Asked) -> Reply:
        """`DELETE /{waba}/message_templates?name=`: all languages of that name."""
        name = asked.request.query.get("name", "")
        if not self._world.drop_templates(name):
            raise GraphError(100, "There is no template of this name")
        return Reply(200, {"success": True})

    def with_id(self, node: str) -> Template | None:
        """The template whose id stands in a path."""
        return next((template for key, template in self._world.templates() if key == node), None)

    def _id(self, template: Template) -> str:
        return next(key for key, one in self._world.templates() if one == template)

    def _review(self, template: Template) -> None:
        """Meta's review: after `review_delay` seconds it is approved; without one, whoever plays Meta decides."""
        delay = self._world.settings.review_delay
        if delay is None:
            return

        def approved() -> None:
            if self._world.template(template.name, template.language) == template:
                done = replace(template, status="APPROVED")
                self._world.put_template(done)
                tell_status(self._world, done)

        asyncio.get_running_loop().call_later(delay, approved)


def _read(body: Mapping[str, object], *, status: str) -> Template:
    """A definition as strictly as Meta's review of its form; raises GraphError 100."""
    parts = items(body, "components", "body", least=1, most=10)
    category = str(body.get("category", "")).upper()
    if category not in CATEGORIES:
        raise GraphError(100, f"category must be one of {', '.join(CATEGORIES)}")
    given = {"name": body["name"], "language": body["language"], "category": category, "components": list(parts)}
    try:
        template = read_template(given | {"status": status})
    except SimulatorError as error:
        raise GraphError(100, str(error)) from error
    named = str(body.get("parameter_format", "")).upper() == "NAMED"
    for part in parts:
        if str(part.get("type", "")).upper() == "BODY":
            _values(part, template, named=named)
    for button in template.buttons:
        if button.kind == "URL" and not (button.url.startswith("https://") and utf16(button.url) <= 2000):
            raise GraphError(100, "A link button needs an https address of at most 2000 characters")
    _lives(body, category)
    return template


def _values(part: Mapping[str, object], template: Template, *, named: bool) -> None:
    found = list(dict.fromkeys(VARIABLE.findall(template.body)))
    if not found:
        return
    bare = template.body.strip()
    if bare.startswith("{{") or bare.endswith("}}"):
        raise GraphError(100, "Variables cannot stand at the beginning or the end of the body")
    numbered = [one for one in found if one.isdecimal()]
    if numbered and sorted(numbered, key=int) != [str(n + 1) for n in range(len(found))]:
        raise GraphError(100, "Positional variables are numbered from {{1}} without a gap")
    if numbered and named:
        raise GraphError(100, "parameter_format is NAMED but the variables are numbered")
    example = mapping(part, "example", "body.components")
    if numbered:
        rows = example.get("body_text")
        given = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else []
    else:
        given = [
            str(one.get("example", ""))
            for one in items(example, "body_text_named_params", "example", least=1, most=100)
        ]
    if len(given) != len(found) or not all(isinstance(one, str) and one for one in given):
        raise GraphError(100, "The body needs one example for each variable")


def _lives(body: Mapping[str, object], category: str) -> None:
    lives = body.get("message_send_ttl_seconds")
    least, most = LIVES[category]
    if lives is not None and not (isinstance(lives, int) and (lives == -1 or least <= lives <= most)):
        raise GraphError(100, f"message_send_ttl_seconds must be from {least} to {most} for {category}")

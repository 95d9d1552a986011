"""`recado templates`: the templates of business.yaml against those at Meta."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.domain.business import Business
    from bot.settings import Settings
    from bot.whatsapp.template_api import TemplateApi
    from bot.whatsapp.templates import Content, Key, Listed, Step

JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group(epilog="Example:  recado templates status")
def templates() -> None:
    """Compare the templates of business.yaml with those at Meta; submit and fetch them."""


@templates.command(epilog="Example:  recado templates status --json")
@JSON
def status(as_json: bool) -> None:
    """Shows what Meta says of each declared template. Exit status 1 unless all are approved in the declared category."""
    declared, listed = asyncio.run(_both())
    rows = [_row(key, declared.get(key), listed.get(key)) for key in sorted({*declared, *listed})]
    if as_json:
        click.echo(json.dumps({"templates": rows}, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            extra = [row[one] for one in ("quality", "reason", "trouble") if row[one]]
            line = f"{row['name']} {row['language']}: {row['status'].lower() or 'not at Meta'}, {row['category']}"
            click.echo(line + "".join(f"; {one}" for one in extra))
        if not rows:
            click.echo("There is no template, neither in business.yaml nor at Meta.")
    sys.exit(1 if any(row["trouble"] for row in rows) else 0)


def _row(key: "Key", ours: "Content | None", theirs: "Listed | None") -> dict[str, str]:
    trouble = ""
    if ours is not None and theirs is None:
        trouble = "submit it with `recado templates push`"
    elif ours is not None and theirs is not None and theirs.status != "APPROVED":
        trouble = "it cannot be sent now"
    elif ours is not None and theirs is not None and theirs.content.category != ours.category:
        trouble = f"declared as {ours.category}: the gate asks for what Meta's category needs"
    known = theirs.content if theirs is not None else ours
    return {
        "name": key[0], "language": key[1], "status": theirs.status if theirs else "", "category": known.category if known else "",
        "quality": theirs.quality.lower() if theirs else "", "reason": theirs.reason if theirs else "",
        "declared": "yes" if ours else "no", "trouble": trouble,
    }  # fmt: skip


@templates.command(epilog="Example:  recado templates diff")
@JSON
def diff(as_json: bool) -> None:
    """Shows in what the declared templates and those at Meta differ. Exit status 1 if they do."""
    from bot.whatsapp.templates import plan

    declared, listed = asyncio.run(_both())
    steps = [one for one in plan(declared, listed) if one.action != "keep"]
    if as_json:
        click.echo(json.dumps({"differences": [_told(one) for one in steps]}, ensure_ascii=False, indent=2))
    else:
        for one in steps:
            click.echo(f"{_title(one)}: {_SAYS[one.action]}{_because(one)}")
            for name, ours, theirs in _sides(declared.get(one.key), listed.get(one.key), one.parts):
                click.echo(f"  {name}\n    - {theirs}\n    + {ours}")
        if not steps:
            click.echo("Meta has every template as business.yaml declares it.")
    sys.exit(1 if any(one.action != "undeclared" for one in steps) else 0)


_SAYS: Mapping[str, str] = {
    "create": "not at Meta",
    "edit": "differs",
    "cannot": "differs",
    "undeclared": "not in business.yaml",
    "keep": "the same",
}


def _sides(ours: "Content | None", theirs: "Listed | None", parts: tuple[str, ...]) -> list[tuple[str, object, object]]:
    if ours is None or theirs is None:
        return []
    keys = {"languages": "body", "other parts": "more"}
    pairs = [(one, keys.get(one, one)) for one in parts]
    return [(one, getattr(ours, key), getattr(theirs.content, key)) for one, key in pairs]


@templates.command(epilog="Example:  recado templates push --dry-run")
@click.option("--dry-run", is_flag=True, help="Say what would be done and do nothing.")
@JSON
def push(dry_run: bool, as_json: bool) -> None:
    """Submits new templates and changed ones for Meta's review. Deletes nothing at Meta.

    Exit status 1 when Meta did not take one of them, or when one differs that Meta does not let anybody edit now.
    """
    done = asyncio.run(_pushed(dry_run=dry_run))
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "templates": done}, ensure_ascii=False, indent=2))
    else:
        for row in done:
            click.echo(f"{row['name']} {row['language']}: {row['result']}")
        if not done:
            click.echo("Nothing to do: Meta has every template as business.yaml declares it.")
    sys.exit(1 if any(row["failed"] for row in done) else 0)


async def _pushed(*, dry_run: bool) -> list[dict[str, object]]:
    from bot.whatsapp.templates import declared_in, plan

    business, settings = _project()
    declared = declared_in(business)
    async with _Asking(settings) as api:
        listed = await api.every()
        rows: list[dict[str, object]] = []
        for step in plan(declared, listed):
            if step.action in ("keep", "undeclared"):
                continue
            failed, result = step.action == "cannot", step.why
            if dry_run and not failed:
                result = f"would be {'submitted' if step.action == 'create' else 'changed'}{_because(step)}"
            elif not failed:
                failed, result = await _carried_out(api, step, business, declared[step.key], listed.get(step.key))
            rows.append({"name": step.key[0], "language": step.key[1], "result": result, "failed": failed})
        return rows


async def _carried_out(
    api: "TemplateApi", step: "Step", business: "Business", content: "Content", listed: "Listed | None"
) -> tuple[bool, str]:
    """Whether it failed, and in words what came of it; one refused template does not keep back the others."""
    from bot.whatsapp.template_api import NotDone
    from bot.whatsapp.templates import components, creation

    template = business.templates[step.key[0]]
    try:
        if listed is None:
            state = await api.create(creation(step.key, content, template))
            return False, f"submitted, now {state.lower() or 'unknown'}"
        body: dict[str, object] = {"components": components(content, template.samples)}
        if "category" in step.parts:
            body["category"] = content.category.upper()
        await api.edit(listed.id, body)
    except (NotDone, ValueError) as problem:
        return True, str(problem)
    return False, f"changed, and in review again{_because(step)}"


@templates.command(epilog="Example:  recado templates pull --output templates.yaml")
@click.option("--all", "every", is_flag=True, help="The declared ones too.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file, instead of the screen.")
@JSON
def pull(every: bool, output: Path | None, as_json: bool) -> None:
    """Writes the templates that stand at Meta as declarations to put into business.yaml; changes no file of the project.

    A purpose is for you to choose: Meta does not know it. What business.yaml cannot declare is named in a comment.
    """
    declared, listed = asyncio.run(_both())
    wanted = {key: one for key, one in listed.items() if every or key not in declared}
    if as_json:
        rows = [{"name": key[0], "language": key[1], **asdict(one)} for key, one in sorted(wanted.items())]
        text = json.dumps({"templates": rows}, ensure_ascii=False, indent=2) + "\n"
    else:
        text = _yaml(wanted)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise click.UsageError(f"{output} is there already; name a new file.")
    output.write_text(text, encoding="utf-8")
    click.echo(f"{output}: {len(wanted)} templates. Choose a purpose for each and put them into business.yaml.")


def _yaml(wanted: "Mapping[Key, Listed]") -> str:
    """Declarations; every text is written as JSON, which is YAML as well."""
    lines = ["templates:"] if wanted else ["# Meta has no template that business.yaml does not declare."]
    for name in sorted({key[0] for key in wanted}):
        these = {key[1].replace("_", "-"): one.content for key, one in sorted(wanted.items()) if key[0] == name}
        first = next(iter(these.values()))
        lines += [f"  {name}:", f"    category: {first.category}", "    purpose: say_which"]
        lines += _mapped("languages", {tag: one.body for tag, one in these.items()})
        lines += _mapped("header", {tag: one.header for tag, one in these.items() if one.header})
        lines += _mapped("footer", {tag: one.footer for tag, one in these.items() if one.footer})
        labels = {tag: [label for kind, label, _ in one.buttons if kind == "quick_reply"] for tag, one in these.items()}
        lines += _mapped("buttons", {tag: one for tag, one in labels.items() if one})
        if any(labels.values()):
            count = max(len(one) for one in labels.values())
            lines.append(f"    payloads: {json.dumps(['say-what-each-sends-back'] * count)}")
        links = {tag: (label, url) for tag, one in these.items() for kind, label, url in one.buttons if kind == "url"}
        if links:
            lines += ["    link:", f"      address: {_text(next(iter(links.values()))[1])}", "      label:"]
            lines += [f"        {tag}: {_text(label)}" for tag, (label, _) in links.items()]
        kinds = {kind for one in these.values() for kind, _, _ in one.buttons} - {"quick_reply", "url"}
        left = sorted({*kinds, *(part for one in these.values() for part in one.more)})
        lines += [f"    # not declarable here: {', '.join(left)}"] if left else []
    return "\n".join(lines) + "\n"


def _mapped(key: str, texts: Mapping[str, object]) -> list[str]:
    return [f"    {key}:", *(f"      {tag}: {_text(text)}" for tag, text in texts.items())] if texts else []


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _title(step: "Step") -> str:
    return f"{step.key[0]} {step.key[1]}"


def _because(step: "Step") -> str:
    told = [", ".join(step.parts)] if step.parts else []
    told += [step.why] if step.why else []
    return f" ({'; '.join(told)})" if told else ""


def _told(step: "Step") -> dict[str, object]:
    return {
        "name": step.key[0], "language": step.key[1], "difference": step.action, "parts": list(step.parts), "why": step.why,
    }  # fmt: skip


async def _both() -> "tuple[dict[Key, Content], dict[Key, Listed]]":
    from bot.whatsapp.templates import declared_in

    business, settings = _project()
    async with _Asking(settings) as api:
        return declared_in(business), await api.every()


def _project() -> "tuple[Business, Settings]":
    from bot.app.project import load_project
    from bot.domain.errors import SettingsProblem
    from bot.settings import read_settings

    settings = read_settings()
    loaded = load_project(settings.project)
    if loaded.book is None:
        raise SettingsProblem(f"There are {len(loaded.errors)} errors in the flows; `recado flows check` shows them.")
    if not settings.whatsapp.businesses or not settings.whatsapp.access_token.get_secret_value():
        raise SettingsProblem(
            "RECADO_WHATSAPP__BUSINESS_ACCOUNT_ID and RECADO_WHATSAPP__ACCESS_TOKEN are needed for templates."
        )
    return loaded.book.business, settings


class _Asking:
    """The templates of the first business account, with a connection for as long as it is used."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings.whatsapp

    async def __aenter__(self) -> "TemplateApi":
        import aiohttp

        from bot.whatsapp.graph import Graph
        from bot.whatsapp.template_api import TemplateApi

        self._session = aiohttp.ClientSession()
        return TemplateApi(Graph(self._settings, self._session), self._settings.businesses[0])

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

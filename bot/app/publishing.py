"""What a start makes public: the flows, notices, purposes and parties as they are now, each immutable under its hash (decisions.md 18).

Gives the book that also knows the versions conversations still stand on, and what earlier texts still stand for the present ones.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.app.project import load_catalog, load_project
from bot.app.rules import BusinessRules
from bot.app.safety import refuse_unsafe
from bot.domain.business import Business, purpose_hash
from bot.domain.errors import SettingsProblem
from bot.engine.book import Book
from bot.engine.loader import recompiled
from bot.i18n.catalog import Catalog
from bot.privacy.ledger.parties import parties_content, parties_version
from bot.privacy.notice import Notice
from bot.privacy.terms import Version, covered, informing
from bot.settings import Settings
from bot.storage.published import Published


async def publish(
    settings: Settings, published: Published, now: datetime, *, served: bool
) -> tuple[Book, BusinessRules, Catalog]:
    """Publishes the project, and puts together what the engine runs on.

    Raises `SettingsProblem` when flows or texts have errors, or production settings are unsafe; nothing of the texts is published then.
    """
    book = await _book(settings, published, now, served=served)
    refuse_unsafe(settings, book.business)
    catalog = load_catalog(settings.project, offered=book.business.languages, default=book.business.language)
    rules = BusinessRules(book.business, catalog)
    await _publish_texts(published, book.business, rules.notices, now)
    purposes = [Version(*one) for one in await published.texts("purpose")]
    notices = [Version(*one) for one in await published.texts("notice")]
    business = covered(book.business, purposes)
    rules = BusinessRules(business, catalog, informing(rules.notices.values(), notices))
    return replace(book, business=business), rules, catalog


async def _book(settings: Settings, published: Published, now: datetime, *, served: bool) -> Book:
    """The project's flows, published, together with the versions conversations may still stand on (decisions.md 18)."""
    loaded = load_project(settings.project, served=served)
    if loaded.book is None:
        lines = "\n".join(str(problem) for problem in loaded.errors)
        raise SettingsProblem(f"The flows have errors; nothing was started.\n{lines}")
    for flow in loaded.book.flows.values():
        await published.flow(flow.id, flow.version, flow.flow.language, flow.content, now)
    older = {}
    for name, version, content in await published.flows():
        if loaded.book.flow(name, version) is None and (flow_again := recompiled(name, content)) is not None:
            older[name, version] = flow_again
    return loaded.book.with_older(older)


async def _publish_texts(
    published: Published, business: Business, notices: Mapping[str, Notice], now: datetime
) -> None:
    """What consent events point at by its hash."""
    await published.text(
        "parties", "parties", parties_version(business), business.language, parties_content(business), now
    )
    for notice in notices.values():
        await published.text("notice", notice.id, notice.hash, notice.language, notice.content(), now)
    for name, purpose in business.purposes.items():
        await published.text("purpose", name, purpose_hash(purpose), business.language, purpose.model_dump_json(), now)

"""The Graph API beside sending: media, the number itself, its WABA and templates, contact book and block list.

Source: Meta: cloud-api/reference/media, /phone-numbers, /block-users, message-templates, business-scoped-user-ids.
"""

from collections.abc import Iterable

from aiohttp import BodyPartReader, web

from bot.simulator.acceptance import window_open
from bot.simulator.checks import items
from bot.simulator.errors import GraphError
from bot.simulator.graph import Asked, GraphApi, Reply, check_token
from bot.simulator.ids import BSUID, trace_id
from bot.simulator.people import Person
from bot.simulator.template_desk import TemplateDesk
from bot.simulator.uploads import MIB, Upload

LARGEST_FILE = 100 * MIB


class GraphObjects:
    """Handlers of everything that is not a message."""

    def __init__(self, api: GraphApi) -> None:
        self._api = api
        self._world = api.world
        self._desk = TemplateDesk(api)

    def routes(self) -> list[web.RouteDef]:
        """All paths of the Graph API."""
        api, guarded = self._api, self._api.guarded
        base = r"/{version:v[0-9]+\.[0-9]+}/{node:[A-Za-z0-9_.]+}"
        return [
            web.post(f"{base}/messages", guarded(api.messages)),
            web.post(f"{base}/media", guarded(self._upload, json_body=False)),
            web.delete(f"{base}/contact_book", guarded(self._forget_contact)),
            web.get(f"{base}/block_users", guarded(self._list_blocked), allow_head=False),
            web.post(f"{base}/block_users", guarded(self._block)),
            web.delete(f"{base}/block_users", guarded(self._block)),
            web.get(f"{base}/message_templates", guarded(self._templates), allow_head=False),
            web.get(f"{base}/settings", guarded(self._settings), allow_head=False),
            web.post(f"{base}/message_templates", guarded(self._create_template)),
            web.delete(f"{base}/message_templates", guarded(self._delete_template)),
            web.get(f"{base}/phone_numbers", guarded(self._numbers), allow_head=False),
            web.get(f"{base}/subscribed_apps", guarded(self._subscriptions), allow_head=False),
            web.get(base, guarded(self._node), allow_head=False),
            web.post(base, guarded(self._edit)),
            web.delete(base, guarded(self._delete_media)),
            web.get("/media-files/{token}", self._download, allow_head=False),
        ]

    async def _upload(self, asked: Asked) -> Reply:
        self._api.own_number(asked.node)
        if not asked.request.content_type.startswith("multipart/"):
            raise GraphError(100, "Media is uploaded as multipart/form-data")
        parts = await _form(asked.request)
        if parts.get("messaging_product", ("", b"", ""))[1] != b"whatsapp":
            raise GraphError(100, "The parameter messaging_product must be whatsapp")
        if "file" not in parts:
            raise GraphError(100, "The parameter file is required")
        filename, content, part_type = parts["file"]
        mime_type = parts["type"][1].decode("latin-1") if "type" in parts else part_type
        upload = self._world.uploads_store.keep(mime_type, content, filename, by_business=True)
        return Reply(200, {"id": upload.id})

    async def _node(self, asked: Asked) -> Reply:
        if asked.node == self._world.settings.phone_number_id:
            return Reply(200, self._only_fields(asked, self._number()))
        if asked.node == self._world.settings.waba_id:
            return Reply(200, self._only_fields(asked, {"id": asked.node, "name": self._world.settings.verified_name}))
        upload = self._media(asked)
        url = asked.request.url.origin() / "media-files" / self._world.uploads_store.link(upload.id)
        answer = {
            "messaging_product": "whatsapp", "url": str(url), "mime_type": upload.mime_type,
            "sha256": upload.sha256_hex, "file_size": len(upload.content), "id": upload.id,
        }  # fmt: skip
        return Reply(200, answer)

    async def _delete_media(self, asked: Asked) -> Reply:
        upload = self._media(asked)
        return Reply(200, {"success": self._world.uploads_store.delete(upload.id)})

    def _media(self, asked: Asked) -> Upload:
        owner = asked.request.query.get("phone_number_id", self._world.settings.phone_number_id)
        upload = self._world.uploads_store.find(asked.node)
        if upload is None or owner != self._world.settings.phone_number_id:
            raise GraphError(100, "Unsupported request: there is no object with this id, or the token may not see it")
        return upload

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Meta answers a stale or unauthorised link without an error object."""
        try:
            check_token(self._world, request)
        except GraphError as error:
            return web.Response(status=error.http)
        upload = self._world.uploads_store.behind(request.match_info["token"])
        if upload is None:
            return web.Response(status=404)
        return web.Response(body=upload.content, headers={"Content-Type": upload.mime_type})

    def _number(self) -> dict[str, object]:
        settings = self._world.settings
        return {
            "verified_name": settings.verified_name, "display_phone_number": settings.display_phone_number,
            "id": settings.phone_number_id, "quality_rating": self._world.quality, "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API", "throughput": {"level": "STANDARD"}, "account_mode": "LIVE",
            "name_status": "APPROVED", "status": "CONNECTED", "messaging_limit_tier": "TIER_2K",
        }  # fmt: skip

    @staticmethod
    def _only_fields(asked: Asked, whole: dict[str, object]) -> dict[str, object]:
        wanted = asked.request.query.get("fields", "")
        if not wanted:
            return whole
        return {key: value for key, value in whole.items() if key == "id" or key in wanted.split(",")}

    async def _settings(self, asked: Asked) -> Reply:
        """Where messages are stored (Meta: local storage, no storage); nothing is told of a number with neither."""
        self._api.own_number(asked.node)
        settings = self._world.settings
        if settings.no_storage:
            return Reply(200, {"storage_configuration": {"status": "NO_STORAGE_ENABLED", "retention_minutes": 60}})
        if settings.storage_region:
            where = {"status": "IN_COUNTRY_STORAGE_ENABLED", "data_localization_region": settings.storage_region}
            return Reply(200, {"storage_configuration": where})
        return Reply(200, {})

    async def _numbers(self, asked: Asked) -> Reply:
        self._own_waba(asked.node)
        return Reply(200, {"data": [self._only_fields(asked, self._number())]})

    async def _subscriptions(self, asked: Asked) -> Reply:
        self._own_waba(asked.node)
        app = {"id": "1003383421387200", "name": "Simulated app", "link": "https://app.example/"}
        subscribed = [{"whatsapp_business_api_data": app}] if self._world.courier.url else []
        return Reply(200, {"data": subscribed})

    async def _templates(self, asked: Asked) -> Reply:
        self._own_waba(asked.node)
        query = asked.request.query
        found = [template.to_json(template_id) for template_id, template in self._world.templates()]
        for key in ("name", "language", "status", "category"):
            found = [one for one in found if key not in query or one[key] == query[key]]
        limit = query.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and int(limit) > 0):
            raise GraphError(100, "limit must be a positive number")
        after = query.get("after", "0")
        start = int(after) if after.isascii() and after.isdigit() else 0
        end = start + int(limit)
        paging = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(found):
            following = asked.request.url.update_query(after=str(end))
            return Reply(200, {"data": found[start:end], "paging": paging | {"next": str(following)}})
        return Reply(200, {"data": found[start:end], "paging": paging})

    async def _create_template(self, asked: Asked) -> Reply:
        self._own_waba(asked.node)
        return self._desk.create(asked)

    async def _delete_template(self, asked: Asked) -> Reply:
        self._own_waba(asked.node)
        return self._desk.delete(asked)

    async def _edit(self, asked: Asked) -> Reply:
        """`POST /{id}`: only templates can be changed here."""
        template = self._desk.with_id(asked.node)
        if template is None:
            raise GraphError(100, "Unsupported request: there is no object with this id that can be changed")
        return self._desk.edit(asked, template)

    def _own_waba(self, node: str) -> None:
        if node != self._world.settings.waba_id:
            raise GraphError(
                33, "Unsupported request: there is no business account with this id, or the token may not use it"
            )

    async def _forget_contact(self, asked: Asked) -> Reply:
        self._api.own_number(asked.node)
        query = asked.request.query
        user_id = query.get("bsuid", "")
        if query.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product must be whatsapp")
        if not BSUID.match(user_id) or ".ENT." in user_id:
            raise GraphError(131009, "bsuid must be a business-scoped user id, not a parent's")
        deleted = user_id in self._world.contact_book
        self._world.contact_book.discard(user_id)
        return Reply(200, {"messaging_product": "whatsapp", "success": True, "deleted": deleted})

    async def _list_blocked(self, asked: Asked) -> Reply:
        self._api.own_number(asked.node)
        blocked = [person for person in self._world.people.values() if self._world.chats[person.key].blocked]
        entries = [{"messaging_product": "whatsapp"} | _named(person) for person in blocked]
        return Reply(200, {"data": [{"block_users": entries}], "paging": {"cursors": {"before": "0", "after": "0"}}})

    async def _block(self, asked: Asked) -> Reply:
        """Blocks (POST) or unblocks (DELETE); a partial failure is HTTP 400 with both lists."""
        self._api.own_number(asked.node)
        if asked.body.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product must be whatsapp")
        blocking = asked.request.method == "POST"
        done: list[dict[str, object]] = []
        failed: list[dict[str, object]] = []
        for entry in items(asked.body, "block_users", "body", least=1, most=64_000):
            given = entry.get("user") or entry.get("user_id")
            person = self._world.at(_text(entry.get("user")), _text(entry.get("user_id")))
            if person is None or (blocking and not window_open(self._world, person)):
                failed.append(
                    {"input": given, "errors": [GraphError(139100, "Only who wrote within 24 hours").in_webhook()]}
                )
                continue
            self._world.chats[person.key].blocked = blocking
            self._world.tell_person(person)
            done.append({"input": given} | _named(person))
        lists = {"added_users" if blocking else "removed_users": done} | ({"failed_users": failed} if failed else {})
        answer: dict[str, object] = {"messaging_product": "whatsapp", "block_users": lists}
        if failed:
            return Reply(
                400, answer | GraphError(139100, "Some users were left out").answer(trace_id(self._world.random))
            )
        return Reply(200, answer)


def _named(person: Person) -> dict[str, object]:
    pairs: Iterable[tuple[str, str | None]] = (("wa_id", person.wa_id), ("user_id", person.bsuid))
    return {key: value for key, value in pairs if value}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


async def _form(request: web.Request) -> dict[str, tuple[str, bytes, str]]:
    """The parts of a form as (file name, content, content type); raises GraphError 131053 beyond Meta's largest file."""
    parts: dict[str, tuple[str, bytes, str]] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise GraphError(100, "The form is not readable")
            content = bytearray()
            while chunk := await part.read_chunk(256 * 1024):
                content += chunk
                if len(content) > LARGEST_FILE:
                    raise GraphError(131053, "The file is larger than 100 MB")
            parts[part.name] = (part.filename or "", bytes(content), part.headers.get("Content-Type", ""))
    except ValueError as error:
        raise GraphError(100, "The form is not readable") from error
    return parts

"""Media as a message names it: by the id of an upload or by a link that Meta would fetch. This stand-in fetches nothing."""

from collections.abc import Mapping

from bot.simulator.chat import MediaRef
from bot.simulator.checks import Body, flag, only, web_address, words, words_or_none
from bot.simulator.errors import GraphError

MediaLookup = Mapping[str, MediaRef]

KEYS: Mapping[str, tuple[str, ...]] = {
    "image": ("id", "link", "caption"),
    "video": ("id", "link", "caption"),
    "audio": ("id", "link", "voice"),
    "document": ("id", "link", "caption", "filename"),
    "sticker": ("id", "link"),
}


def media_ref(kind: str, content: Body, where: str, uploads: MediaLookup) -> MediaRef:
    """What the message points at; raises GraphError unless exactly one of `id` and `link` is given and fits the kind."""
    only(content, KEYS[kind], where)
    if ("id" in content) == ("link" in content):
        raise GraphError(131009, f"{where}: give exactly one of id and link")
    filename = words_or_none(content, "filename", where, most=240)
    flag(content, "voice", where)
    if "link" in content:
        return MediaRef(kind, link=web_address(content, "link", where), filename=filename)
    upload = uploads.get(words(content, "id", where, most=64))
    if upload is None:
        raise GraphError(131009, f"{where}.id: no uploaded media has this id, or it was deleted")
    if upload.kind != kind:
        raise GraphError(131053, f"{where}.id: the upload is {upload.mime_type}, which is no {kind}")
    return MediaRef(kind, id=upload.id, mime_type=upload.mime_type, filename=filename or upload.filename)

"""What one event led to; and the registration of what is stored; commands register themselves."""

from dataclasses import dataclass

from bot.domain import consent, conversation, ids, message, plain
from bot.domain.command import Command, Suppress
from bot.domain.conversation import Conversation

plain.register(
    ids.PhoneNumber, ids.Bsuid, ids.Wamid, ids.Words, ids.Address,
    message.Option, message.TextMessage, message.ButtonsMessage, message.ListMessage, message.LinkMessage,
    message.MediaMessage, message.TemplateMessage, message.Header, message.Section, message.LocationMessage, message.ContactCard,
    message.ContactsMessage, message.ReactionMessage, message.AskMessage, message.FormMessage, message.Money, message.Moment,
    message.TemplateButton, message.TemplateCard, message.QuotingMessage,
    consent.Consent,
    conversation.Frame, conversation.Timer, conversation.HeldWords, conversation.Conversation,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the conversation is after an event, and what must be done about it.

    Attributes:
        suppress: keyed suppression rows to be written before the turn is committed (decisions.md 13).
    """

    conversation: Conversation
    commands: tuple[Command, ...] = ()
    suppress: tuple[Suppress, ...] = ()

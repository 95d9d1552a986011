"""The console's words for states, reasons and outcomes; translated where they are shown. Pure tables."""

from collections.abc import Mapping

from bot.handoff.service import Done
from bot.privacy.msgid import N_

BOXES: Mapping[str, str] = {
    "mine": N_("Mine"), "queue": N_("Queue"), "team": N_("Colleagues"), "snoozed": N_("Snoozed"), "closed": N_("Closed"),
}  # fmt: skip

STATES: Mapping[str, str] = {
    "queued": N_("in the queue"), "owned": N_("with an agent"), "snoozed": N_("snoozed"), "given_back": N_("given back"),
    "closed": N_("closed"),
}  # fmt: skip

OUTCOMES: Mapping[str, str] = {
    "resolved": N_("Solved"), "left": N_("The person has gone"), "nobody": N_("Needs somebody later"),
    "agent_silent": N_("The agent fell silent"), "closed": N_("Came outside opening hours"), "repeated": N_("Asked again later"),
    "erased": N_("Erased"),
}  # fmt: skip

CONSENTS: Mapping[str, str] = {
    "unknown": N_("not asked"), "requested": N_("asked, no answer yet"), "pending_confirmation": N_("waiting for the second yes"),
    "given": N_("yes"), "refused": N_("refused"), "withdrawn": N_("withdrawn"), "expired": N_("ended"),
    "invalidated": N_("invalid"), "not_needed": N_("no consent needed"), "stopped": N_("STOP"),
}  # fmt: skip

BASES: Mapping[str, str] = {
    "contract": N_("contract"), "legal_obligation": N_("legal obligation"), "vital_interests": N_("vital interests"),
    "public_task": N_("public task"), "legitimate_interest": N_("legitimate interest"), "consent": N_("consent"),
    "soft_opt_in": N_("existing customers"),
}  # fmt: skip

EVENTS: Mapping[str, str] = {
    "stop": N_("The person wrote STOP. Nothing is sent of our own accord any more; you may answer when they write again."),
    "unsure": N_("This may have been a wish to stop. Advertising rests; you can have the person asked."),
    "delete_me": N_("The person wants their data deleted. The bot is asking them to confirm."),
    "my_data": N_("The person wants to see their data. The bot is answering."),
    "correct": N_("The person wants something corrected. The bot is taking it down."),
    "restrict": N_("The person wants the use of their data restricted."),
    "object": N_("The person objects to a use of their data."),
    "complaint": N_("The person wants to complain. The bot is taking it down for the data protection officer."),
    "privacy": N_("The person asked for the privacy notice."),
    "start_again": N_("The person wants messages again."),
    "revoked": N_("The person took a message back; its words were deleted."),
}  # fmt: skip

FATES: Mapping[str, tuple[str, str]] = {
    "waiting": ("◔", N_("waiting")), "accepted": ("◑", N_("handed over")), "sent": ("✓", N_("sent")),
    "delivered": ("✓✓", N_("delivered")), "read": ("✓✓", N_("read")), "failed": ("!", N_("failed")),
}  # fmt: skip

REFUSALS: Mapping[str, str] = {
    "window_closed": N_("The 24-hour window is shut: only a template can be sent."),
    "stopped": N_("The person wrote STOP."), "no_consent": N_("There is no consent for this purpose."),
    "opted_out": N_("The person objected to this."), "objected": N_("The person objected to this."),
    "restricted": N_("The use of this person's data is restricted."), "erasing": N_("The person's data are being erased."),
    "capped": N_("As many as were promised have been sent already."),
    "no_way_out": N_("The template does not say how to stop."), "template_stopped": N_("Meta does not let this template out now."),
    "unrecorded": N_("The consent is not on record yet."), "no_address": N_("There is no address any more."),
    "colleague_speaks": N_("Somebody else speaks with the person on the phone."), "expired": N_("It could not be sent in time."),
}  # fmt: skip
NOT_ALLOWED = N_("This may not be sent now.")

META: Mapping[int, str] = {
    131026: N_("WhatsApp cannot deliver to this number."), 131047: N_("The 24-hour window was shut when it arrived."),
    131050: N_("The person switched this business's marketing off at WhatsApp."), 131049: N_("WhatsApp held it back."),
    131053: N_("WhatsApp could not read the file."),
}  # fmt: skip
META_OTHER = N_("WhatsApp did not deliver it (code {code}).")

DONE: Mapping[Done, str] = {
    Done.OK: "", Done.GONE: N_("This chat is over or its data were erased."),
    Done.NOT_YOURS: N_("A colleague was faster, or this chat is not yours any more."),
    Done.NEWS: N_("A message came in while you were writing. Read it, then send again."),
    Done.WINDOW: N_("The 24-hour window is shut: only a template can be sent."),
    Done.STOPPED: N_("The person wrote STOP. You may answer when they write again; your draft is kept."),
    Done.RESTRICTED: N_("The use of this person's data is restricted."), Done.WRONG: N_("Nothing was sent: please write something."),
}  # fmt: skip

KINDS: Mapping[str, str] = {
    "image": N_("Picture"), "audio": N_("Voice message"), "video": N_("Video"), "document": N_("File"), "sticker": N_("Sticker"),
    "location": N_("Location"), "contacts": N_("Contact card"), "order": N_("Order"), "form": N_("Form"), "reaction": N_("Reaction"),
    "unsupported": N_("Message of an unknown kind"), "edited": N_("Edited"), "template": N_("Template"),
}  # fmt: skip
NOT_KEPT = N_("the file itself is not kept")

REASONS: Mapping[str, str] = {
    "call": N_("To call the person back"), "identity": N_("To make sure who it is"), "delivery": N_("To find their order or parcel"),
    "safety": N_("Somebody may be in danger"),
}  # fmt: skip
"""Why a masked field may be shown; stands in the log."""

RIGHTS: Mapping[str, str] = {
    "my_data": N_("Wants to see their data"), "delete_me": N_("Wants their data deleted"), "correct": N_("Wants something corrected"),
}  # fmt: skip
"""Flow to label: rights an agent starts for the person and does not decide."""

ASK_KINDS: Mapping[str, str] = {
    "access": N_("see their data"), "erase": N_("have everything deleted"), "rectify": N_("have something corrected"),
    "restrict": N_("restrict the use"), "object": N_("object to a use"), "complaint": N_("complain"),
}  # fmt: skip
ASK_STATES: Mapping[str, str] = {
    "received": N_("open"), "unsure": N_("unclear: was it a request?"), "waiting": N_("waiting for the person"),
    "extended": N_("extended"), "answered": N_("answered"), "refused": N_("refused"), "cancelled": N_("taken back"),
}  # fmt: skip
ASK_MOVES: Mapping[str, str] = {
    "understand": N_("It was a request"), "dismiss": N_("It was none"), "wait": N_("Ask the person"), "go_on": N_("They answered"),
    "extend": N_("Extend"), "answer": N_("Answered"), "refuse": N_("Refuse"), "cancel": N_("Taken back"),
}  # fmt: skip

ROLE_TITLES: Mapping[str, str] = {
    "owner": N_("Owner"), "admin": N_("Administrator"), "lead": N_("Team lead"), "agent": N_("Agent"),
    "campaigner": N_("Campaigner"), "auditor": N_("Auditor"), "dpo": N_("Data protection officer"),
}  # fmt: skip

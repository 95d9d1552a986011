"""What operators can count of the runtime. Labels are words of the program; no figure can name a person (GDPR art. 25)."""

from bot.observability.metrics import Registry

_PRICES = frozenset({
    "service", "utility", "marketing", "marketing_lite", "authentication", "authentication-international", "referral_conversion",
    "general_purpose_ai", "group_service", "group_utility", "group_marketing", "regular", "free_customer_service",
    "free_entry_point", "free_group_customer_service", "user_initiated", "business_initiated",
})  # fmt: skip


BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
WAITS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0, 300.0, 3600.0)


def known_price(word: str) -> str:
    """Meta's word for a price, or `other`: nothing from outside names a figure by itself."""
    return word if word in _PRICES else "other"


class Figures:
    """The runtime's metrics, declared once on the registry of the process."""

    def __init__(self, registry: Registry | None = None) -> None:
        """Without a registry the figures are kept but shown nowhere. Raises `ValueError` on a registry that has them already."""
        to = registry if registry is not None else Registry()
        self.turns = to.counter("recado_turns_total", "Events played, by how it ended.", ("outcome",))
        self.races = to.counter("recado_commit_conflicts_total", "Commits lost to another writer and played again.")
        self.ignored = to.counter(
            "recado_inbound_ignored_total", "Inbound items nothing was done about.", ("kind", "reason")
        )
        self.in_flight = to.counter("recado_in_flight_at_stop_total", "Sends under way when a STOP was committed.")
        self.sends = to.counter("recado_sends_total", "Messages handed to Meta, by the answer.", ("outcome",))
        self.gate = to.counter("recado_gate_refusals_total", "Messages the gate let not out.", ("reason",))
        self.repeated = to.counter(
            "recado_sends_repeated_total", "Ambiguous sends that were sent again after a minute."
        )
        self.deferred = to.counter(
            "recado_commands_deferred_total", "Commands put off, by kind and cause.", ("kind", "reason")
        )
        self.dead = to.counter(
            "recado_dead_letters_total", "Commands and events that failed for good.", ("kind", "reason")
        )
        self.priced = to.counter(
            "recado_delivered_total",
            "Messages delivered, by the category and the kind Meta charges.",
            ("category", "kind"),
        )
        self.notices = to.counter(
            "recado_account_notices_total", "What Meta said of the account and its templates.", ("kind",)
        )
        self.halted = to.gauge(
            "recado_sending_halted", "1 while Meta refuses this account or token and nothing is sent."
        )
        self.overloaded = to.counter(
            "recado_overload_total", "Work left to recovery or refused because too much waited.", ("kind",)
        )
        self.turn_time = to.histogram("recado_turn_seconds", "From a person's turn beginning to its commit.")
        self.batches = to.histogram(
            "recado_commit_batch_writes", "Writes that went to the database together.", bounds=BATCHES
        )
        self.replies = to.histogram(
            "recado_reply_seconds", "From the newest message of a person to an answer that Meta took.", bounds=WAITS
        )
        self.stops = to.histogram(
            "recado_stop_seconds",
            "From a wish to stop being sent to its commit, Meta's delivery included.",
            bounds=WAITS,
        )

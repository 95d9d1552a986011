"""All that Meta knows in this stand-in: people, chats, templates, uploads, calls. In memory, gone when the process ends."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random

from bot.simulator.chat import Bubble, Chat, MediaRef, moved
from bot.simulator.courier import Courier, Webhook
from bot.simulator.envelope import Business
from bot.simulator.errors import SimulatorError
from bot.simulator.faults import Faults
from bot.simulator.feed import Feed
from bot.simulator.ids import bsuid, number_id, wamid
from bot.simulator.pace import PAIR_BURST, PAIR_SECONDS, Bucket
from bot.simulator.people import HOME, NAMES, Person, cast, checked, free_number, key_of
from bot.simulator.settings import SimulatorSettings
from bot.simulator.templates import CATEGORIES, STATUSES, Template
from bot.simulator.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the Graph API and its answer. `fault`: the kind of failure that was asked for, or empty."""

    number: int
    at: float
    method: str
    path: str
    body: dict[str, object] | None = field(repr=False)
    status: int
    answer: object = field(repr=False)
    fault: str = ""


class World:
    """The state, with the few changes that keep it whole. People are named by their `key`."""

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self.random = Random(settings.seed)  # noqa: S311 - invented ids, no secret
        self.feed = Feed()
        self.faults = Faults()
        self.uploads_store = Uploads(clock, self.random)
        self.courier = Courier(settings, self.random)
        self.courier.on_delivered.append(self._ticks)
        self.business = Business(settings.waba_id, settings.phone_number_id, settings.display_phone_number)
        self.people: dict[str, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.calls: list[Call] = []
        self.token_expired = False
        self.quality = "GREEN"
        self.contact_book: set[str] = set()
        self.whole = Bucket(settings.throughput or 1, 1 / (settings.throughput or 1))
        self._pairs: dict[str, Bucket] = {}
        self._owners: dict[str, str] = {}
        self._templates: dict[tuple[str, str], Template] = {}
        self._template_ids: dict[tuple[str, str], str] = {}
        for template in settings.templates:
            self.put_template(template)
        for person in cast() if settings.cast else ():
            self.add(person)

    # people

    def add(self, person: Person) -> Person:
        """A new person; raises SimulatorError where key, number or BSUID is taken or badly shaped."""
        checked(person)
        if person.key in self.people:
            raise SimulatorError(f"there is already a person {person.key!r}")
        self._refuse_taken(person)
        self.people[person.key] = person
        self.chats[person.key] = Chat()
        self.tell_person(person)
        return person

    def invent(
        self, *, name: str = "", language: str = "en", country: str = "", with_number: bool | None = None
    ) -> Person:
        """A made-up person: a number kept for fiction where the country has such (unless told otherwise), always a BSUID."""
        base = language.split("-", maxsplit=1)[0]
        country = country or HOME.get(base, "GB")
        names = NAMES.get(base, NAMES["en"])
        used = {person.name for person in self.people.values()}
        free = [one for one in names if one not in used] or list(names)
        name = name.strip() or self.random.choice(free)
        taken = {person.number for person in self.people.values() if person.number}
        number = None
        if with_number is not False:
            try:
                number = free_number(country, taken, self.random)
            except SimulatorError:
                if with_number:
                    raise
        key = key_of(name, set(self.people))
        username = None if number else f"{key}.{self.random.randrange(10, 99)}"
        return self.add(Person(key, name, language, country, number, bsuid(country, self.random), username))

    def rename(self, person: Person, key: str) -> Person:
        """The same person under another key; raises SimulatorError where it is taken."""
        if key in self.people:
            raise SimulatorError(f"there is already a person {key!r}")
        renamed = checked(replace(person, key=key))
        self.people[key], self.chats[key] = renamed, self.chats.pop(person.key)
        del self.people[person.key]
        self.tell_person(renamed)
        return renamed

    def change(self, key: str, **parts: object) -> Person:
        """The person with other properties; raises SimulatorError where they do not fit."""
        person = checked(replace(self.find(key), **parts))  # type: ignore[arg-type]  # checked by the control API
        self._refuse_taken(person)
        self.people[key] = person
        self.tell_person(person)
        return person

    def find(self, who: str | Person) -> Person:
        """The person with that key; raises SimulatorError where there is none."""
        key = who if isinstance(who, str) else who.key
        if key not in self.people:
            raise SimulatorError(f"there is no person {key!r}")
        return self.people[key]

    def at(self, number: str | None, user_id: str | None) -> Person | None:
        """Whoever has this number (E.164 with +) or this BSUID."""
        among: Iterable[Person] = self.people.values()
        return next((p for p in among if (number and p.number == number) or (user_id and p.bsuid == user_id)), None)

    def _refuse_taken(self, person: Person) -> None:
        for other in self.people.values():
            if other.key != person.key and (
                (person.number and person.number == other.number) or (person.bsuid and person.bsuid == other.bsuid)
            ):
                raise SimulatorError("another person has this number or BSUID")

    def tell_person(self, person: Person) -> None:
        """News of a person's properties."""
        self.feed.tell({"type": "person", "person": self.person_json(person)})

    def person_json(self, person: Person) -> dict[str, object]:
        """A person with what the chat adds to them."""
        chat = self.chats[person.key]
        return person.to_json() | {"marketing_stopped": chat.marketing_stopped, "blocked": chat.blocked}

    # messages

    def new_id(self, person: Person | None, address: str, *, by_business: bool) -> str:
        """A wamid around what the business knows this person by."""
        message_id = wamid(address, self.random, by_business=by_business)
        if person is not None:
            self._owners[message_id] = person.key
        return message_id

    def owner(self, message_id: str) -> Person | None:
        """Whose chat a message stands in."""
        key = self._owners.get(message_id)
        return None if key is None else self.people[key]

    def add_bubble(self, person: Person, bubble: Bubble) -> None:
        """Puts a bubble into the chat and tells everyone."""
        self._owners[bubble.id] = person.key
        self.chats[person.key].add(bubble)
        self.tell_bubble(person, bubble)

    def change_bubble(self, person: Person, message_id: str, how: Callable[[Bubble], Bubble]) -> Bubble | None:
        """Changes a bubble and tells everyone; None where there is none."""
        bubble = self.chats[person.key].change(message_id, how)
        if bubble is not None:
            self.tell_bubble(person, bubble)
        return bubble

    def tell_bubble(self, person: Person, bubble: Bubble) -> None:
        """News of a new or changed bubble."""
        self.feed.tell({"type": "bubble", "person": person.key, "bubble": bubble.to_json()})

    def typing(self, person: Person, seconds: float) -> None:
        """The business is typing, for at most so long; 0 ends it."""
        self.chats[person.key].typing_until = self.clock() + seconds if seconds else 0.0
        self.feed.tell({"type": "typing", "person": person.key, "seconds": seconds})

    def clear(self, person: Person) -> None:
        """Empties the phone's view of the chat."""
        self.chats[person.key].clear()
        self.feed.tell({"type": "cleared", "person": person.key})

    def remember(self, person: Person) -> None:
        """Both sides were in touch: Meta's contact book now joins number and BSUID (Meta: business-scoped-user-ids)."""
        if person.wa_id and person.bsuid:
            self.contact_book.add(person.bsuid)

    def close_window(self, person: Person) -> None:
        """As if the person's last message were 25 hours old."""
        self.chats[person.key].last_inbound = self.clock() - 25 * 3600

    def pair(self, address: str) -> Bucket:
        """The pair limit's bucket for this address."""
        return self._pairs.setdefault(address, Bucket(PAIR_BURST, PAIR_SECONDS))

    def _ticks(self, webhook: Webhook) -> None:
        for message_id in webhook.message_ids:
            person = self.owner(message_id)
            if person is not None:
                self.change_bubble(person, message_id, lambda bubble: moved(bubble, "delivered"))

    # what `outgoing.Known` asks for

    @property
    def uploads(self) -> dict[str, MediaRef]:
        """The business's uploads that can be sent now."""
        return self.uploads_store.refs()

    def template(self, name: str, language: str) -> Template | None:
        """The template in exactly that language."""
        return self._templates.get((name, language))

    def put_template(self, template: Template) -> None:
        """Adds or replaces a template."""
        key = (template.name, template.language)
        self._templates[key] = template
        self._template_ids.setdefault(key, number_id(self.random))

    def set_template_status(self, name: str, language: str, status: str) -> Template:
        """Pauses, disables or approves a template; raises SimulatorError where there is none."""
        found = self.template(name, language)
        if found is None or status not in STATUSES:
            raise SimulatorError(f"no such template, or status is not one of {', '.join(STATUSES)}")
        self._templates[name, language] = replace(found, status=status)
        return self._templates[name, language]

    def set_template_category(self, name: str, language: str, category: str) -> Template:
        """What Meta calls a template from now on; raises SimulatorError where there is none."""
        found = self.template(name, language)
        if found is None or category not in CATEGORIES:
            raise SimulatorError(f"no such template, or category is not one of {', '.join(CATEGORIES)}")
        self._templates[name, language] = replace(found, category=category)
        return self._templates[name, language]

    def drop_templates(self, name: str) -> int:
        """Deletes a template in all languages; how many there were."""
        keys = [key for key in self._templates if key[0] == name]
        for key in keys:
            del self._templates[key], self._template_ids[key]
        return len(keys)

    def templates(self) -> list[tuple[str, Template]]:
        """All templates with their ids."""
        return [(self._template_ids[key], template) for key, template in self._templates.items()]

// The page: who is there, whose phones are open, and the live stream that keeps them true.

import { addPerson, listen } from "./api.js";
import { el } from "./dom.js";
import { Phone } from "./phone.js";

const $ = (id) => document.getElementById(id);
const people = new Map();
const chats = new Map();
const phones = new Map();
const shared = { actions: [], business: "", close };
const narrow = matchMedia("(max-width: 760px)");

function wantedFromAddress() {
  const named = new URLSearchParams(location.search).getAll("person").flatMap((value) => value.split(","));
  return named.filter((key) => people.has(key));
}

function close(key) {
  phones.get(key)?.root.remove();
  phones.delete(key);
  remember();
}

function open(key) {
  if (narrow.matches) for (const other of [...phones.keys()]) if (other !== key) close(other);
  if (!phones.has(key)) {
    const phone = new Phone(people.get(key), chats.get(key), shared);
    phones.set(key, phone);
    $("phones").append(phone.root);
    phone.toEnd();
  }
  remember();
}

function toggle(key) {
  if (phones.has(key) && !narrow.matches) close(key);
  else {
    open(key);
    phones.get(key).input.focus({ preventScroll: true });
    phones.get(key).root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function remember() {
  const address = new URL(location.href);
  address.search = phones.size ? `?person=${[...phones.keys()].map(encodeURIComponent).join(",")}` : "";
  history.replaceState(null, "", address);
  showPeople();
}

function showPeople() {
  const focused = document.activeElement?.dataset?.person;
  $("people").replaceChildren(
    ...[...people.values()].map((person) =>
      el(
        "button",
        {
          type: "button", class: "chip", "data-testid": "person-select", "data-person": person.key,
          "aria-pressed": String(phones.has(person.key)), onclick: () => toggle(person.key),
        },
        el("span", { dir: "auto" }, person.name),
        el("span", { class: "tag" }, person.language.toUpperCase()),
      ),
    ),
  );
  if (focused) $("people").querySelector(`[data-person="${CSS.escape(focused)}"]`)?.focus();
}

function hello(news) {
  const before = [...phones.keys()];
  for (const key of before) phones.get(key).root.remove();
  phones.clear();
  people.clear();
  chats.clear();
  shared.actions = news.actions;
  shared.business = news.business;
  for (const person of news.people) people.set(person.key, person);
  for (const [key, bubbles] of Object.entries(news.chats)) chats.set(key, bubbles);
  const wanted = [...new Set([...wantedFromAddress(), ...before.filter((key) => people.has(key))])];
  const first = wanted.length ? wanted : [...people.keys()].slice(0, narrow.matches ? 1 : 2);
  for (const key of narrow.matches ? first.slice(0, 1) : first) open(key);
  live(true, news.connected);
}

const reactions = {
  hello,
  person({ person }) {
    people.set(person.key, person);
    if (!chats.has(person.key)) chats.set(person.key, []);
    phones.get(person.key)?.showPerson(person);
    showPeople();
  },
  bubble({ person, bubble }) {
    const chat = chats.get(person);
    const at = chat.findIndex((one) => one.id === bubble.id);
    if (at < 0) chat.push(bubble);
    else chat[at] = bubble;
    phones.get(person)?.showBubble(bubble);
  },
  typing: ({ person, seconds }) => phones.get(person)?.typing(seconds),
  cleared({ person }) {
    chats.get(person).length = 0;
    phones.get(person)?.clear();
  },
};

function live(up, connected = true) {
  $("live").textContent = !up ? "Connection lost, trying again…" : connected ? "Live" : "No bot is connected yet";
  $("live").dataset.up = String(up && connected);
}

function adding() {
  const dialog = $("adding");
  const form = $("adding-form");
  $("add").addEventListener("click", () => {
    $("adding-problem").textContent = "";
    form.reset();
    dialog.showModal();
  });
  $("adding-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const body = { name: given.get("name"), language: given.get("language") };
    if (given.get("hidden")) body.with_number = false;
    try {
      const person = await addPerson(body);
      dialog.close();
      if (!people.has(person.key)) reactions.person({ person });
      open(person.key);
    } catch (error) {
      $("adding-problem").textContent = error.message;
    }
  });
}

adding();
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[open]")) if (!menu.contains(event.target)) menu.open = false;
});
listen((news) => reactions[news.type]?.(news), live);

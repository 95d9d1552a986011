// One phone: caption, chat, composer, list sheet, menu. It shows what the store says and asks the API for the rest.

import { act, change } from "./api.js";
import { bubbleRow, hidden, locale } from "./bubbles.js";
import { el, icon } from "./dom.js";

const NEAR_END = 120;

export class Phone {
  constructor(person, chat, shared) {
    this.person = person;
    this.shared = shared;
    this.chat = chat;
    this.rows = new Map();
    this.build();
    this.showPerson(person);
    for (const bubble of chat) this.showBubble(bubble);
    this.toEnd();
  }

  build() {
    const id = `phone-${this.person.key}`;
    this.name = el("h2", { id: `${id}-name`, dir: "auto" });
    this.known = el("p", { class: "known" });
    this.status = el("p", { class: "state", "data-testid": "typing", "aria-live": "polite" });
    this.log = el("ol", { class: "log", role: "log", tabindex: "0", "aria-label": `Chat of ${this.person.name}` });
    this.notice = el("p", { class: "notice", role: "status", "data-testid": "notice", dir: "auto" });
    this.sheet = el("div", { class: "sheet", role: "dialog", "aria-modal": "true", hidden: true, "data-testid": "list-sheet" });
    this.sheet.addEventListener("keydown", (event) => this.sheetKey(event));
    this.log.addEventListener("scroll", () => { this.atEnd = this.distance() < NEAR_END; });
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(this.log);
    const screen = el("div", { class: "screen" }, this.topBar(), this.log, this.composer(id), this.sheet);
    const actions = this.shared.actions.map((action) =>
      el("button", { type: "button", class: "action", "data-testid": "action", "data-action": action.id, onclick: () => this.action(action) }, action.label),
    );
    const under = el("div", { class: "under" }, ...actions, this.notice);
    this.root = el(
      "section",
      { class: "phone", id, "data-testid": "phone", "data-person": this.person.key, "aria-labelledby": `${id}-name` },
      el("div", { class: "caption" }, el("div", {}, this.name, this.known), this.menu()),
      screen,
      under,
    );
  }

  topBar() {
    return el(
      "div",
      { class: "bar" },
      el("span", { class: "avatar", "aria-hidden": "true" }, [...this.shared.business][0] ?? "B"),
      el("div", {}, el("p", { class: "partner", dir: "auto" }, this.shared.business), this.status),
    );
  }

  composer(id) {
    this.input = el("textarea", {
      id: `${id}-text`, rows: "1", dir: "auto", placeholder: "Message", "data-testid": "composer", autocomplete: "off",
      enterkeyhint: "send", lang: this.person.language,
    });
    this.input.addEventListener("input", () => this.grow());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.say();
      }
    });
    const file = el("input", { type: "file", class: "hush", "data-testid": "attach-file", onchange: () => this.attach(file), tabindex: "-1", "aria-hidden": "true" });
    const attach = el("button", { type: "button", class: "round", "aria-label": "Attach a file", "data-testid": "attach", onclick: () => file.click() }, icon("attach"));
    const send = el("button", { type: "submit", class: "round go", "aria-label": "Send", "data-testid": "send" }, icon("send"));
    const label = el("label", { class: "hush", for: `${id}-text` }, `Message of ${this.person.name}`);
    return el("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.say(); } }, label, attach, this.input, file, send);
  }

  menu() {
    const list = el("div", { class: "menu-list card" });
    const menu = el("details", { class: "menu", "data-testid": "menu" }, el("summary", { "aria-label": `Menu of ${this.person.name}` }, icon("more")), list);
    const item = (words, run) =>
      el("button", { type: "button", onclick: () => { menu.open = false; this.attempt(run); } }, words);
    menu.addEventListener("toggle", () => {
      const { person } = this;
      list.replaceChildren(
        item(person.marketing_stopped ? "Allow offers again" : "Stop offers (WhatsApp’s own switch)", () => act(person.key, "preferences", { value: person.marketing_stopped ? "resume" : "stop" })),
        item(person.online ? "Go offline" : "Go online", () => change(person.key, { online: !person.online })),
        item(person.receipts ? "Turn read receipts off" : "Turn read receipts on", () => change(person.key, { receipts: !person.receipts })),
        item("Take a new number", () => act(person.key, "number")),
        item("Let 24 hours pass", () => act(person.key, "window", { open: false })),
        item("Empty this chat", () => act(person.key, "clear")),
        item("Close this phone", async () => this.shared.close(person.key)),
      );
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    return menu;
  }

  showPerson(person) {
    const wasOnline = this.person.online;
    this.person = person;
    this.name.textContent = person.name;
    const shown = person.number && person.number_visible ? person.number : `@${person.username ?? "…"}, number hidden`;
    this.known.textContent = `${person.country} · ${shown}`;
    this.status.textContent = person.online ? (person.blocked ? "blocked you" : "online") : "your phone is offline";
    this.root.classList.toggle("offline", !person.online);
    if (wasOnline !== person.online) this.chat.forEach((bubble) => this.showBubble(bubble));
  }

  showBubble(bubble) {
    const nearEnd = this.distance() < NEAR_END;
    const old = this.rows.get(bubble.id);
    if (hidden(bubble, this.person)) return old?.remove();
    const row = bubbleRow(bubble, this.person, this);
    if (old?.isConnected) {
      const focused = old.contains(document.activeElement);
      old.replaceWith(row);
      if (focused) row.querySelector("button, a")?.focus();
    } else {
      this.dayLine(bubble.at);
      this.log.append(row);
    }
    this.rows.set(bubble.id, row);
    if (nearEnd || bubble.sender === "person") this.toEnd();
  }

  dayLine(at) {
    const day = new Date(at * 1000).toDateString();
    if (this.day === day) return;
    this.day = day;
    const words = new Intl.DateTimeFormat(locale(this.person), { weekday: "long", day: "numeric", month: "long" }).format(new Date(at * 1000));
    this.log.append(el("li", { class: "day" }, words));
  }

  typing(seconds) {
    clearTimeout(this.quiet);
    this.status.textContent = seconds ? "typing…" : this.person.online ? "online" : "your phone is offline";
    this.root.classList.toggle("typing", seconds > 0);
    if (seconds) this.quiet = setTimeout(() => this.typing(0), seconds * 1000);
  }

  clear() {
    this.chat.length = 0;
    this.rows.clear();
    this.log.replaceChildren();
    this.day = undefined;
  }

  quoted(id) {
    return this.chat.find((bubble) => bubble.id === id)?.face.text.slice(0, 120);
  }

  tap(choice, bubble) {
    this.closeSheet();
    this.attempt(() => act(this.person.key, "tap", { choice: choice.id, message_id: bubble.id }));
  }

  openList(bubble) {
    const rows = bubble.face.choices;
    const parts = [];
    let section = "";
    for (const row of rows) {
      if (row.section !== section) parts.push(el("h4", { dir: "auto" }, row.section));
      section = row.section;
      parts.push(
        el(
          "button",
          { type: "button", class: "rowchoice", "data-testid": "quick-reply", "data-choice": row.id, onclick: () => this.tap(row, bubble) },
          el("span", { class: "title", dir: "auto" }, row.title),
          row.description ? el("span", { class: "hint", dir: "auto" }, row.description) : null,
        ),
      );
    }
    const close = el("button", { type: "button", class: "round", "aria-label": "Close the list", onclick: () => this.closeSheet() }, icon("close"));
    const head = el("div", { class: "sheet-head" }, el("h3", { dir: "auto" }, bubble.face.list_label), close);
    this.sheet.setAttribute("aria-label", bubble.face.list_label);
    this.sheet.replaceChildren(el("div", { class: "sheet-body" }, head, ...parts));
    this.sheet.hidden = false;
    this.sheet.querySelector(".rowchoice").focus();
  }

  closeSheet() {
    if (this.sheet.hidden) return;
    this.sheet.hidden = true;
    this.input.focus();
  }

  sheetKey(event) {
    const stops = [...this.sheet.querySelectorAll("button")];
    const at = stops.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1, Tab: event.shiftKey ? -1 : 1 }[event.key];
    if (event.key === "Escape") this.closeSheet();
    else if (step) stops[(at + step + stops.length) % stops.length].focus();
    else return;
    event.preventDefault();
  }

  say() {
    const text = this.input.value;
    if (!text.trim()) return;
    this.input.value = "";
    this.grow();
    this.attempt(() => act(this.person.key, "say", { text }));
  }

  async attach(field) {
    const file = field.files[0];
    field.value = "";
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let binary = "";
    for (let at = 0; at < bytes.length; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
    this.attempt(() => act(this.person.key, "file", { mime_type: file.type || "text/plain", content_base64: btoa(binary), filename: file.name }));
  }

  async action(action) {
    this.note(`${action.label} …`);
    await this.attempt(async () => {
      const { text } = await act(this.person.key, "action", { id: action.id });
      this.note(text ?? "Done.");
    });
  }

  async attempt(run) {
    try {
      await run();
    } catch (error) {
      this.note(error.message);
    }
  }

  note(words) {
    this.notice.textContent = words;
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
  }

  distance() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }
}

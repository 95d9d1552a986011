// One bubble of the chat: words, header, footer, media, ticks, reactions and everything that can be tapped.

import { el, icon } from "./dom.js";
import { anchor, formatted } from "./format.js";

const TICKS = { pending: "Waiting", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" };
const CHOICE_ICONS = { reply: "reply", quick_reply: "reply", url: "open", phone: "phone", copy: "copy", location: "place", contact: "card" };

/** Kinds that change another bubble or tell nothing to the person, and so have no bubble of their own. */
export const hidden = (bubble, person) =>
  bubble.face.kind === "reaction" ||
  (bubble.sender === "business" &&
    (bubble.status === "failed" || (!person.online && ["pending", "sent"].includes(bubble.status))));

/** The person's way of writing dates, such as en-GB. */
export const locale = (person) => (person.language.includes("-") ? person.language : `${person.language}-${person.country}`);

const clockTime = (at, person) =>
  new Intl.DateTimeFormat(locale(person), { hour: "2-digit", minute: "2-digit" }).format(new Date(at * 1000));

/** The row of one bubble. `ways`: {tap(choice), openList(), quoted(id)}. */
export function bubbleRow(bubble, person, ways) {
  const incoming = bubble.sender === "business";
  const face = bubble.face;
  const testid = incoming ? "bubble-in" : "bubble-out";
  const body = el("div", { class: "bubble" });
  const quoted = bubble.reply_to ? ways.quoted(bubble.reply_to) : undefined;
  if (quoted && !incoming) body.append(el("p", { class: "quote", dir: "auto" }, quoted));
  if (face.media) body.append(medium(face.media));
  if (face.header) body.append(el("p", { class: "head", dir: "auto", lang: person.language }, face.header));
  if (face.place) body.append(place(face.place));
  if (face.kind === "contacts") body.append(el("p", { class: "cards" }, icon("card"), face.text));
  else if (face.text) body.append(el("p", { class: "words", dir: "auto", lang: person.language }, formatted(face.text)));
  if (face.footer) body.append(el("p", { class: "foot", dir: "auto", lang: person.language }, face.footer));
  body.append(meta(bubble, person, incoming));
  const reactions = Object.values(bubble.reactions);
  if (reactions.length) body.append(el("span", { class: "reactions", "data-testid": "reaction" }, reactions.join("")));
  return el(
    "li",
    { class: `line ${incoming ? "in" : "out"} kind-${face.kind}`, "data-testid": testid, "data-id": bubble.id, "data-kind": face.kind },
    el("span", { class: "hush" }, incoming ? "The business wrote: " : "You wrote: "),
    body,
    choices(bubble, ways),
  );
}

function meta(bubble, person, incoming) {
  const time = el("time", { datetime: new Date(bubble.at * 1000).toISOString() }, clockTime(bubble.at, person));
  if (incoming) return el("span", { class: "meta" }, time);
  const name = { pending: "clock", sent: "sent" }[bubble.status] ?? "twice";
  const tick = el(
    "span",
    { class: `tick ${bubble.status}`, "data-testid": "tick", "data-status": bubble.status, title: TICKS[bubble.status] },
    icon(name),
    el("span", { class: "hush" }, TICKS[bubble.status]),
  );
  return el("span", { class: "meta" }, time, tick);
}

function choices(bubble, ways) {
  const face = bubble.face;
  if (!face.choices.length) return null;
  if (face.kind === "list") {
    const open = { type: "button", class: "choice", "data-testid": "list-open", onclick: () => ways.openList(bubble) };
    return el("div", { class: "choices" }, el("button", open, icon("list"), el("span", { dir: "auto" }, face.list_label)));
  }
  return el("div", { class: "choices" }, ...face.choices.map((choice) => choiceNode(choice, bubble, ways)));
}

function choiceNode(choice, bubble, ways) {
  const taken = bubble.tapped === choice.title;
  const words = el("span", { dir: "auto" }, choice.title);
  const shared = { class: `choice${taken ? " taken" : ""}`, "data-testid": "quick-reply", "data-choice": choice.id };
  if (choice.kind === "url") {
    const link = anchor(choice.url, "", shared.class);
    if (link.nodeType !== Node.ELEMENT_NODE) return el("span", shared, words);
    link.setAttribute("data-testid", "quick-reply");
    link.append(icon("open"), words, el("span", { class: "hush" }, " (opens in a new tab)"));
    return link;
  }
  const parts = { ...shared, type: "button", onclick: () => ways.tap(choice, bubble) };
  if (choice.kind === "copy") parts.onclick = () => navigator.clipboard?.writeText(choice.id);
  if (choice.kind === "phone") parts.disabled = true;
  return el("button", parts, icon(taken ? "check" : CHOICE_ICONS[choice.kind] ?? "reply"), words);
}

function medium(media) {
  const source = media.id ? `/phone/media/${encodeURIComponent(media.id)}` : "";
  if (!source) {
    const words = media.filename || media.kind;
    return el("p", { class: "file" }, icon("file"), anchor(media.link, words), el("span", { class: "hint" }, "not fetched here"));
  }
  if (media.kind === "image" || media.kind === "sticker") return el("img", { class: media.kind, src: source, alt: "A picture" });
  if (media.kind === "audio") return el("audio", { controls: true, src: source });
  if (media.kind === "video") return el("video", { controls: true, src: source });
  return el("p", { class: "file" }, icon("file"), el("a", { href: source, download: media.filename || "file" }, media.filename || "Document"));
}

function place([latitude, longitude]) {
  return el("p", { class: "place" }, icon("place"), `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`);
}

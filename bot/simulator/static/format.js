// WhatsApp's marks in a text (*bold*, _italic_, ~strike~, ```mono```, `code`) and links, as DOM nodes.
// Text only ever becomes text nodes: nothing here parses HTML.

const TOKEN = /```([^]+?)```|`([^`\n]+)`|(https?:\/\/[^\s<>"']+)|(^|[\s(.,;:!?¿¡"'*_~-])([*_~])(?=\S)([^\n]*?\S)\5(?=$|[\s).,;:!?"'*_~-])/gu;
const TAGS = { "*": "strong", _: "em", "~": "s" };

/** Nodes for a message's words. */
export function formatted(text) {
  const out = document.createDocumentFragment();
  let place = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, mono, code, link, before, mark, inner] = found;
    if (found.index < place) continue;
    out.append(text.slice(place, found.index));
    if (mono !== undefined) out.append(element("code", mono.replace(/^\n|\n$/g, ""), "block"));
    else if (code !== undefined) out.append(element("code", code));
    else if (link !== undefined) out.append(...linked(link));
    else {
      const node = document.createElement(TAGS[mark]);
      node.append(formatted(inner));
      out.append(before, node);
    }
    place = found.index + whole.length;
  }
  out.append(text.slice(place));
  return out;
}

function element(tag, words, kind = "") {
  const node = document.createElement(tag);
  node.textContent = words;
  if (kind) node.className = kind;
  return node;
}

/** A link to http or https that opens in a new tab and tells the other side nothing; the full stop behind it stays outside. */
function linked(address) {
  const tail = address.match(/[).,;:!?*_~]+$/u)?.[0] ?? "";
  const url = tail ? address.slice(0, -tail.length) : address;
  return [anchor(url, url), tail];
}

/** An anchor that is only ever http or https; anything else becomes plain text. */
export function anchor(url, words, className = "") {
  if (!/^https?:\/\//u.test(url)) return document.createTextNode(words);
  const node = element("a", words, className);
  node.href = url;
  node.target = "_blank";
  node.rel = "noopener noreferrer nofollow";
  return node;
}

// Who looks at what and writes where: told to the server now and then, shown beside the chats, kept nowhere.
import { filled, post, words } from './net.js';
import { openChat } from './parts.js';

let typedAt = 0;
let there = [];
let told = '';

export function here({ typing = false } = {}) {
  told = openChat();
  post('/console/here', { viewing: told, typing: typing ? 'yes' : 'no' }).catch(() => {});
}

export function typing() {
  if (Date.now() - typedAt < 3000) return;
  typedAt = Date.now();
  here({ typing: true });
}

export function showPresence(list = there) {
  there = list;
  for (const place of document.querySelectorAll('[data-viewers]')) {
    const who = there.filter((one) => one.viewing === place.dataset.viewers).map((one) => one.who);
    place.textContent = who.length ? `◉ ${who.join(', ')}` : '';
  }
  const place = document.querySelector('[data-presence]');
  if (place) {
    const here_ = there.filter((one) => one.viewing === openChat());
    place.textContent = here_.map((one) => filled(one.typing ? words.types : words.views, { who: one.who })).join(' · ');
  }
}

export function start() {
  // However a chat was opened, by tap, key or command: colleagues are told once it is on the screen.
  document.addEventListener('recado:chat', () => { if (openChat() !== told) here(); showPresence(); });
  setInterval(() => { if (document.visibilityState === 'visible') here(); }, 20000);
}

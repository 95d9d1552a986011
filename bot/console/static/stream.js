// News of the teams, in order and without gaps. After a break everything that was missed comes first; until then nothing is sent.
import { banner, words } from './net.js';
import { openChat, refreshChat, refreshList } from './parts.js';
import { showPresence } from './presence.js';

const GREY_AFTER = 5000;
const LOCK_AFTER = 30000;
const SILENT = 45000;
let source = null;
let since = document.body.dataset.since ?? '';
let brokenAt = 0;
let lastHeard = Date.now();
export const line = { locked: false };

export function start() {
  connect();
  setInterval(watch, 1000);
  addEventListener('online', () => { if (brokenAt) connect(); });
  addEventListener('offline', () => { source.close(); if (!brokenAt) brokenAt = Date.now(); });
}

function connect() {
  source?.close();
  source = new EventSource(`/console/stream?since=${encodeURIComponent(since)}`);
  source.addEventListener('ready', caughtUp);
  source.addEventListener('beat', (event) => { heard(); showPresence(JSON.parse(event.data).there); refreshChat(); });
  source.addEventListener('over', () => { source.close(); location.assign('/console/login'); });
  source.onmessage = (event) => { heard(); since = event.lastEventId || since; news(JSON.parse(event.data)); };
  source.onerror = () => { if (!brokenAt) brokenAt = Date.now(); if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000); };
}

function heard() { lastHeard = Date.now(); }

async function caughtUp() {
  heard();
  const was = brokenAt;
  brokenAt = 0;
  if (was) await Promise.all([refreshChat(), refreshList()]);
  setLock(false);
  if (was && Date.now() - was > GREY_AFTER) banner(words.back);
}

function watch() {
  if (!brokenAt && Date.now() - lastHeard > SILENT) { brokenAt = lastHeard; connect(); }
  const gone = brokenAt ? Date.now() - brokenAt : 0;
  if (gone > LOCK_AFTER) { setLock(true); banner(words.locked, { bad: true, stays: true }); }
  else if (gone > GREY_AFTER) banner(words.lost, { stays: true });
}

function setLock(locked) {
  line.locked = locked;
  for (const button of document.querySelectorAll('[data-send] button')) button.disabled = locked;
}

let listSoon = 0;
let chatSoon = 0;
function news(event) {
  clearTimeout(listSoon);
  listSoon = setTimeout(() => refreshList(), 150);
  if (event.ticket === openChat()) {
    clearTimeout(chatSoon);
    chatSoon = setTimeout(async () => { if (!(await refreshChat())) banner(words.gone, { bad: true, stays: true }); }, 60);
  }
  if (event.kind === 'queued' || (event.kind === 'line' && !event.by)) notify();
}

// A notification never holds a name or a word (console.md 4).
function notify() {
  if (document.visibilityState === 'hidden' && 'Notification' in window && Notification.permission === 'granted') {
    new Notification(words.news, { tag: 'recado', icon: '/console/static/icon.svg' });
  }
}

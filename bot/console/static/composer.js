// Writing: tabs, drafts, replies kept ready, and sending with an id of its own, so that nothing goes out twice.
import { banner, filled, post, words } from './net.js';
import { openChat, refreshChat, refreshList, thread } from './parts.js';
import { line } from './stream.js';
import { typing } from './presence.js';

const chat = () => document.getElementById('chat');

export function showTab(name) {
  const tab = chat()?.querySelector(`[data-tab="${name}"]`);
  if (!tab) return false;
  for (const one of chat().querySelectorAll('[data-tab]')) {
    const on = one === tab;
    one.setAttribute('aria-selected', String(on));
    one.tabIndex = on ? 0 : -1;
  }
  for (const pane of chat().querySelectorAll('[data-tabpane]')) pane.hidden = pane.dataset.tabpane !== name;
  chat().querySelector(`[data-tabpane="${name}"]`)?.querySelector('textarea, input:not([type="hidden"]), button')?.focus();
  return true;
}

function onTabKeys(event) {
  if (!event.target.matches?.('[role="tab"]') || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
  const tabs = [...chat().querySelectorAll('[data-tab]')];
  const step = (event.key === 'ArrowRight') === (document.dir !== 'rtl') ? 1 : -1;
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  showTab(next.dataset.tab);
  next.focus();
}

async function onSubmit(event) {
  const form = event.target;
  if (!form.matches('[data-live]')) return;
  event.preventDefault();
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
  if (form.matches('[data-send]') && line.locked) { banner(words.locked, { bad: true }); return; }
  const fields = Object.fromEntries(new FormData(form, event.submitter));
  await send(form, form.action, fields);
}

async function send(form, url, fields) {
  const buttons = [...form.querySelectorAll('button')];
  for (const one of buttons) one.disabled = true;
  try {
    const answer = await post(url, fields);
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) sent(form); else banner(told.words || words.failed, { bad: true });
  } catch {
    banner(words.failed, { bad: true });
  } finally {
    for (const one of buttons) one.disabled = false;
  }
  if (form.matches('[data-leaves]')) document.querySelector('#chat details[open]')?.removeAttribute('open');
  const mine = url.endsWith('/claim') ? `/console/chats?box=mine&open=${openChat()}` : undefined;
  await Promise.all([refreshChat(), refreshList(mine)]);
  renew();
}

function sent(form) {
  for (const area of form.querySelectorAll('[data-draft]')) { area.value = ''; }
  for (const one of form.querySelectorAll('input:not([type="hidden"])')) one.defaultValue = one.value;
  form.closest('details')?.removeAttribute('open');
  if (form.matches('[data-send]')) banner(words.sent);
  const once = form.querySelector('[name="once"]');
  if (once) once.value = crypto.randomUUID();
}

// The newest line that the page shows is what the next answer says it has seen.
function renew() {
  const lines = chat()?.querySelectorAll('.bubble.in');
  const seen = chat()?.querySelector('[data-seen]');
  if (seen && lines?.length) seen.value = lines[lines.length - 1].dataset.line;
}

const soon = new Map();
function onInput(event) {
  const area = event.target;
  if (!area.matches?.('[data-draft]')) return;
  typing();
  offerCanned(area);
  clearTimeout(soon.get(area));
  const ticket = openChat();
  soon.set(area, setTimeout(async () => {
    const answer = await post(`/console/chats/${ticket}/draft`, { mode: area.dataset.draft, words: area.value }).catch(() => null);
    const place = area.form?.querySelector('[data-saved]');
    if (answer?.ok && place) place.textContent = words.saved;
  }, 800));
}

// -- replies kept ready ---------------------------------------------------------------------------------------------------

const canned = () => JSON.parse(chat()?.querySelector('[data-canned]')?.textContent ?? '[]');

function offerCanned(area) {
  const list = area.form?.querySelector('.canned');
  if (!list || document.body.dataset.singleKeys === 'no') return;
  const before = area.value.slice(0, area.selectionStart);
  const typed = /(?:^|\n)\/([^\n]*)$/.exec(before)?.[1];
  const found = typed === undefined ? [] : canned().filter((one) => `${one.name} ${one.text}`.toLowerCase().includes(typed.toLowerCase())).slice(0, 6);
  list.replaceChildren(...found.map((one, index) => option(area, one, index === 0, typed.length + 1)));
  list.hidden = !found.length;
}

function option(area, one, first, typed) {
  const row = document.createElement('li');
  row.setAttribute('role', 'option');
  row.setAttribute('aria-selected', String(first));
  const name = document.createElement('b');
  name.textContent = `/${one.name} `;
  row.append(name, one.text);
  row.addEventListener('mousedown', (event) => { event.preventDefault(); take(area, one, typed); });
  row.take = () => take(area, one, typed);
  return row;
}

function take(area, one, typed) {
  area.setRangeText(one.text, area.selectionStart - typed, area.selectionStart, 'end');
  area.form.querySelector('.canned').hidden = true;
  area.focus();
}

function onKeys(event) {
  const list = event.target.form?.querySelector?.('.canned:not([hidden])');
  if (!list) return;
  const rows = [...list.children];
  const now = rows.findIndex((row) => row.getAttribute('aria-selected') === 'true');
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    rows[now]?.setAttribute('aria-selected', 'false');
    rows[(now + (event.key === 'ArrowDown' ? 1 : rows.length - 1)) % rows.length].setAttribute('aria-selected', 'true');
  } else if (event.key === 'Enter' || event.key === 'Tab') {
    event.preventDefault();
    rows[now]?.take();
  } else if (event.key === 'Escape') {
    event.stopPropagation();
    list.hidden = true;
  }
}

// -- a number shown for a reason -------------------------------------------------------------------------------------------

async function onReveal(event) {
  const form = event.target;
  if (!form.matches('[data-reveal]')) return;
  event.preventDefault();
  const place = form.querySelector('output');
  const answer = await post(form.action, Object.fromEntries(new FormData(form))).catch(() => null);
  if (!answer) { banner(words.failed, { bad: true }); return; }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  place.textContent = page.getElementById('revealed')?.textContent ?? words.failed;
  place.className = 'number';
  if (answer.ok) { form.reset(); banner(words.revealed); }
  setTimeout(() => { place.textContent = ''; }, 60000);
}

export function start() {
  document.addEventListener('submit', onSubmit);
  document.addEventListener('submit', onReveal);
  document.addEventListener('input', onInput);
  document.addEventListener('keydown', onKeys, true);
  document.addEventListener('keydown', onTabKeys);
  document.addEventListener('click', (event) => { const tab = event.target.closest?.('[data-tab]'); if (tab) showTab(tab.dataset.tab); });
  document.addEventListener('recado:chat', renew);
}

export function speakRecipient() {
  banner(filled(words.sending, { who: thread()?.dataset.who ?? '' }));
}

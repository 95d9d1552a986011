// The keyboard and the command bar. By physical key, because Alt makes letters on a Mac; there Ctrl Alt does the same.
import { showTab, speakRecipient } from './composer.js';
import { open, thread } from './parts.js';

const rows = () => [...document.querySelectorAll('#list [data-chat]')];

export function step(by) {
  const all = rows();
  const now = all.findIndex((row) => row.classList.contains('current'));
  const next = all[Math.min(Math.max(now + by, 0), all.length - 1)] ?? all[0];
  if (next) { history.pushState({}, '', next.href); open(next.href); }
}

function press(key) {
  const target = thread()?.querySelector(`[data-key="${key}"]`);
  if (!target) return;
  if (target.matches('summary')) { target.parentElement.open = true; target.parentElement.querySelector('.sheet button')?.focus(); }
  else target.click();
}

const ACTS = {
  KeyJ: () => step(1), KeyK: () => step(-1), KeyT: () => press('take'), KeyG: () => press('pass'), KeyM: () => press('snooze'), KeyE: () => press('close'),
  KeyL: () => showTab('reply'), KeyP: () => showTab('note'), KeyS: () => showTab('template'),
  Digit1: () => box(0), Digit2: () => box(1), Digit3: () => box(2), Digit4: () => box(3), Digit5: () => box(4),
};

function box(index) { document.querySelectorAll('#list .rail a')[index]?.click(); }

function onKey(event) {
  const mac = /Mac/.test(navigator.platform);
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.code === 'KeyK') { event.preventDefault(); openCommands(); return; }
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') { submitHere(event); return; }
  if (event.key === 'Escape') { leave(event); return; }
  if (!event.altKey || event.metaKey || event.ctrlKey !== mac) return;
  if (event.key === '?' || (event.code === 'Slash' && event.shiftKey)) { event.preventDefault(); document.getElementById('keys')?.showModal(); return; }
  if (event.shiftKey && event.code === 'KeyE') { event.preventDefault(); press('close'); setTimeout(() => step(1), 400); return; }
  const act = ACTS[event.code];
  if (act && !event.shiftKey) { event.preventDefault(); act(); }
}

function submitHere(event) {
  const form = document.activeElement?.form;
  if (!form?.matches('[data-live]')) return;
  event.preventDefault();
  if (form.matches('[data-send]')) speakRecipient();
  form.requestSubmit();
}

function leave(event) {
  const menu = event.target.closest?.('details[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); return; }
  if (event.target.matches?.('textarea, input')) { event.target.blur(); thread()?.querySelector('#chat-title')?.focus(); }
}

// -- commands -----------------------------------------------------------------------------------------------------------------

let chosen = 0;
function openCommands() {
  const bar = document.getElementById('commands');
  if (!bar) return;
  const query = document.getElementById('command-query');
  query.value = '';
  bar.showModal();
  list('');
  query.focus();
}

function commands() {
  const places = [...document.querySelectorAll('[data-command]')].filter((one) => !one.disabled);
  const chats = rows().map((row) => ({ name: row.querySelector('.who').textContent, run: () => { history.pushState({}, '', row.href); open(row.href); } }));
  return [...places.map((one) => ({ name: one.dataset.command, run: () => run(one.dataset.command) })), ...chats];
}

// Looked for again when it is run: the part of the page it stood in may have been made anew meanwhile.
function run(name) {
  const place = [...document.querySelectorAll('[data-command]')].find((one) => one.dataset.command === name);
  if (!place) return;
  if (place.matches('summary')) { place.parentElement.open = true; place.parentElement.querySelector('.sheet button')?.focus(); }
  else { place.click(); }
}

function list(query) {
  const wanted = query.trim().toLowerCase();
  const found = commands().filter((one) => one.name.toLowerCase().includes(wanted)).slice(0, 12);
  chosen = 0;
  document.getElementById('command-list').replaceChildren(...found.map((one, index) => {
    const row = document.createElement('li');
    row.id = `command-${index}`;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', String(index === 0));
    row.textContent = one.name;
    row.run = one.run;
    row.addEventListener('click', () => go(row));
    return row;
  }));
  mark();
}

function mark() {
  const all = [...document.getElementById('command-list').children];
  all.forEach((row, index) => row.setAttribute('aria-selected', String(index === chosen)));
  all[chosen]?.scrollIntoView({ block: 'nearest' });
  document.getElementById('command-query').setAttribute('aria-activedescendant', all[chosen]?.id ?? '');
}

function go(row) { document.getElementById('commands').close(); row?.run(); }

function onCommandKey(event) {
  const all = document.getElementById('command-list').children;
  if (event.key === 'ArrowDown') { chosen = Math.min(chosen + 1, all.length - 1); mark(); event.preventDefault(); }
  if (event.key === 'ArrowUp') { chosen = Math.max(chosen - 1, 0); mark(); event.preventDefault(); }
  if (event.key === 'Enter') { event.preventDefault(); go(all[chosen]); }
}

export function start() {
  document.addEventListener('keydown', onKey);
  const query = document.getElementById('command-query');
  query?.addEventListener('input', () => list(query.value));
  query?.addEventListener('keydown', onCommandKey);
}

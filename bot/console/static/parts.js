// Puts fresh parts of a page in their places without taking away what somebody writes or where they stand.
import { part } from './net.js';

const parser = new DOMParser();
const read = (html) => parser.parseFromString(html, 'text/html');

// The box that is to be shown: what was asked for last, whatever answer comes first.
let wanted = null;

export async function refreshList(url) {
  if (url) wanted = url;
  const asked = url ?? listUrl();
  const place = document.getElementById('list');
  if (!place) return;
  const answer = await part(asked);
  if (!answer.ok || (wanted && wanted !== asked)) return;
  const focused = document.activeElement?.closest?.('#list [data-chat]')?.dataset.chat;
  const typing = document.activeElement?.id === 'q' ? document.activeElement.value : null;
  const scroll = place.querySelector('.rows')?.scrollTop ?? 0;
  const fresh = read(await answer.text());
  if (wanted && wanted !== asked) return;
  wanted = null;
  place.replaceChildren(...fresh.body.childNodes);
  place.querySelector('.rows').scrollTop = scroll;
  if (focused) place.querySelector(`[data-chat="${CSS.escape(focused)}"]`)?.focus();
  if (typing !== null) { const q = place.querySelector('#q'); q.value = typing; q.focus(); }
}

export function listUrl() {
  const rows = document.querySelector('#list .rows');
  const query = new URLSearchParams({ box: rows?.dataset.boxNow ?? '' });
  if (rows?.dataset.query) query.set('q', rows.dataset.query);
  if (openChat()) query.set('open', openChat());
  return `/console/chats?${query}`;
}

export const thread = () => document.querySelector('.thread');
export const openChat = () => thread()?.dataset.ticket ?? '';

export async function refreshChat() {
  const ticket = openChat();
  if (!ticket) return true;
  const answer = await part(`/console/chats/${ticket}`);
  if (openChat() !== ticket || answer.status === undefined) return true;
  if (!answer.ok) return false;
  const fresh = read(await answer.text());
  Object.assign(thread().dataset, fresh.querySelector('.thread').dataset);
  for (const one of fresh.querySelectorAll('[data-part]')) replacePart(one);
  document.dispatchEvent(new CustomEvent('recado:chat'));
  return true;
}

// A part that is the same stays; the composer goes only when what may be written has changed, and the words stay even then.
function replacePart(fresh) {
  const old = document.querySelector(`#chat [data-part="${fresh.dataset.part}"]`);
  if (!old) return;
  if (fresh.dataset.part === 'composer') { replaceComposer(old, fresh); return; }
  if (news(old) === news(fresh)) return;
  const end = old.scrollHeight - old.scrollTop - old.clientHeight < 60;
  const top = old.scrollTop;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const place = controls(old).indexOf(focused);
  keepBegun(old, fresh);
  old.replaceWith(fresh);
  if (fresh.dataset.part === 'lines') fresh.scrollTop = end ? fresh.scrollHeight : top;
  if (focused) (fresh.contains(focused) ? focused : controls(fresh)[place])?.focus({ preventScroll: true });
}

const controls = (part) => [...part.querySelectorAll('a, button, input, select, summary')];

// What the server said, without what the page itself wrote there since and what is another on each reading.
function news(part) {
  const copy = part.cloneNode(true);
  for (const one of copy.querySelectorAll('[name="once"]')) one.removeAttribute('value');
  for (const one of copy.querySelectorAll('[open]')) one.removeAttribute('open');
  for (const one of copy.querySelectorAll('[disabled]')) one.removeAttribute('disabled');
  for (const one of copy.querySelectorAll('output, [data-until], [data-presence]')) one.textContent = '';
  return copy.innerHTML;
}

// What somebody has opened stays open; a form they have begun, sent or read an answer in goes over as it is.
function keepBegun(old, fresh) {
  const summary = (one) => one.querySelector('summary')?.textContent;
  const open = new Set([...old.querySelectorAll('details[open]')].map(summary));
  for (const one of fresh.querySelectorAll('details')) one.open = open.has(summary(one));
  const twins = new Map([...fresh.querySelectorAll('form')].map((form) => [formName(form), form]));
  for (const form of old.querySelectorAll('form')) if (begun(form)) twins.get(formName(form))?.replaceWith(form);
}

function formName(form) {
  const fixed = [...form.querySelectorAll('input[type="hidden"]')].filter((one) => !['csrf', 'once'].includes(one.name));
  return [form.getAttribute('action'), ...fixed.map((one) => `${one.name}=${one.value}`)].join(' ');
}

function begun(form) {
  return form.matches(':focus-within') || form.querySelector('output:not(:empty), button[disabled]') !== null
    || [...form.querySelectorAll('input:not([type="hidden"])')].some((one) => one.value !== one.defaultValue)
    || [...form.querySelectorAll('select')].some((one) => one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected)));
}

function replaceComposer(old, fresh) {
  if (old.dataset.composer === fresh.dataset.composer) return;
  const kept = {};
  for (const area of old.querySelectorAll('[data-draft]')) kept[area.dataset.draft] = area.value;
  const focused = document.activeElement?.dataset?.draft;
  old.replaceWith(fresh);
  for (const area of fresh.querySelectorAll('[data-draft]')) {
    if (kept[area.dataset.draft]) area.value = kept[area.dataset.draft];
  }
  if (focused) fresh.querySelector(`[data-draft="${focused}"]`)?.focus();
  fresh.keptDraft = kept.reply ?? '';
}

export async function open(url, { focus = true } = {}) {
  const answer = await part(url);
  if (!answer.ok) return false;
  const place = document.getElementById('chat');
  place.replaceChildren(...read(await answer.text()).body.childNodes);
  document.body.classList.add('has-chat');
  for (const row of document.querySelectorAll('[data-chat]')) {
    const here = row.dataset.chat === openChat();
    row.classList.toggle('current', here);
    if (here) row.setAttribute('aria-current', 'true'); else row.removeAttribute('aria-current');
  }
  const lines = document.getElementById('lines');
  if (lines) lines.scrollTop = lines.scrollHeight;
  if (focus) document.getElementById('chat-title')?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent('recado:chat'));
  return true;
}

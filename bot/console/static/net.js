// Speaks with the server: parts of pages, forms, and how the line stands. Nothing here knows what a part means.
const token = () => document.querySelector('meta[name="csrf"]').content;

export const words = JSON.parse(document.getElementById('texts')?.textContent ?? '{}');

export function filled(text, values) {
  return (text ?? '').replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export async function part(url) {
  const answer = await fetch(url, { headers: { 'X-Requested-With': 'recado' }, credentials: 'same-origin' }).catch(() => null);
  if (!answer) return { ok: false };  // out of reach: the stream says so, and everything is read again when it is back
  if (answer.status === 401 || answer.redirected) location.assign('/console/login');
  return answer;
}

export async function post(url, fields) {
  const body = new URLSearchParams(fields);
  body.set('csrf', token());
  return fetch(url, { method: 'POST', body, headers: { 'X-Requested-With': 'recado' }, credentials: 'same-origin' });
}

let hide = 0;
export function banner(text, { bad = false, stays = false } = {}) {
  const place = document.getElementById('banner');
  clearTimeout(hide);
  place.textContent = text;
  place.classList.toggle('bad', bad);
  place.hidden = !text;
  if (text && !stays) hide = setTimeout(() => { place.hidden = true; }, 6000);
}

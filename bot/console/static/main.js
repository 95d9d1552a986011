// Begins what a page needs. Without script every page and form works as well; with it nothing has to be loaded anew.
import * as composer from './composer.js';
import * as keys from './keys.js';
import { filled, words } from './net.js';
import { open, refreshList } from './parts.js';
import * as passkey from './passkey.js';
import * as presence from './presence.js';
import * as stream from './stream.js';

const root = document.documentElement;
const theme = localStorage.getItem('recado-theme');
if (theme) root.dataset.theme = theme;

document.addEventListener('click', (event) => {
  const target = event.target.closest?.('[data-theme-switch], [data-chat], [data-box]');
  if (!target) {
    for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
    return;
  }
  if (target.matches('[data-theme-switch]')) switchTheme();
  else if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  else if (target.matches('[data-chat]')) { event.preventDefault(); history.pushState({}, '', target.href); open(target.href).then((ok) => ok || refreshList()); }
  else { event.preventDefault(); refreshList(target.href); }
});

function switchTheme() {
  const dark = getComputedStyle(root).colorScheme === 'dark' || (!root.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('recado-theme', root.dataset.theme);
}

function countDown() {
  for (const time of document.querySelectorAll('[data-until]')) {
    const minutes = Math.floor((Date.parse(time.dataset.until) - Date.now()) / 60000);
    const left = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
    time.textContent = minutes < 0 ? words.shut : filled(words.left, { time: left });
  }
}

passkey.start();
if (document.body.dataset.page === 'chats') {
  composer.start();
  keys.start();
  presence.start();
  stream.start();
  presence.here();
  addEventListener('popstate', () => location.reload());
  countDown();
  setInterval(countDown, 15000);
  document.addEventListener('recado:chat', countDown);
  const lines = document.getElementById('lines');
  if (lines) lines.scrollTop = lines.scrollHeight;
  document.addEventListener('click', () => { if ('Notification' in window && Notification.permission === 'default') Notification.requestPermission(); }, { once: true });
}
if (document.body.dataset.refresh) setTimeout(() => location.reload(), Number(document.body.dataset.refresh) * 1000);

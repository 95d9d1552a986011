// Passkeys: the device signs, the server checks. Nothing secret passes through here.
import { banner, post } from './net.js';

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0));
const spelt = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

function asked(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials]) for (const one of list ?? []) one.id = bytes(one.id);
  return { publicKey: options };
}

function answered(key) {
  const response = { clientDataJSON: spelt(key.response.clientDataJSON) };
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (key.response[name]) response[name] = spelt(key.response[name]);
  }
  return JSON.stringify({ id: key.id, rawId: spelt(key.rawId), type: key.type, response, clientExtensionResults: key.getClientExtensionResults() });
}

async function onClick(event) {
  const button = event.target.closest?.('[data-passkey]');
  if (!button) return;
  button.disabled = true;
  try {
    const given = await (await post(button.dataset.options, {})).json();
    if (given.problem) throw new Error(given.problem);
    const key = button.dataset.passkey === 'make' ? await navigator.credentials.create(asked(given)) : await navigator.credentials.get(asked(given));
    const told = await (await post(button.dataset.answer, { answer: answered(key) })).json();
    if (told.problem) throw new Error(told.problem);
    location.assign(told.to);
  } catch (problem) {
    banner(problem.message, { bad: true });
    button.disabled = false;
  }
}

export function start() { document.addEventListener('click', onClick); }

// The control API and the live stream of this simulator; nobody else is ever asked.

async function request(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? `The simulator answered ${answer.status}.`);
  return found;
}

/** What the person does: say, tap, react, file, preferences, number, window, clear, action. */
export const act = (person, what, body) => request("POST", `/control/people/${encodeURIComponent(person)}/${what}`, body);

export const change = (person, body) => request("PATCH", `/control/people/${encodeURIComponent(person)}`, body);

export const addPerson = (body) => request("POST", "/control/people", body);

/** Calls `onNews` with every piece of news and `onLive` when the stream comes up or goes down. */
export function listen(onNews, onLive) {
  const stream = new EventSource("/control/events");
  stream.onopen = () => onLive(true);
  stream.onerror = () => onLive(false);
  stream.onmessage = (event) => onNews(JSON.parse(event.data));
}

// Buttons of the operator's page: each is one call of the control API, and what it answers is shown below.

const said = document.getElementById("said");

function tell(text, bad) {
  said.textContent = text;
  said.className = bad ? "bad" : "";
}

async function call(method, path, body) {
  const how = { method, headers: body ? { "Content-Type": "application/json" } : {} };
  if (body) how.body = JSON.stringify(body);
  const answer = await fetch(path, how);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error || `status ${answer.status}`);
  return found;
}

async function act(name, method, path, body) {
  tell(`${name} …`);
  try {
    const found = await call(method, path, body);
    tell(found.done ? `${name}:\n${found.done.join("\n")}` : `${name}: done.`);
  } catch (problem) {
    tell(`${name}: ${problem.message}`, true);
  }
}

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

async function scenarios() {
  const list = document.getElementById("list");
  for (const one of (await call("GET", "/control/scenarios")).scenarios) {
    const card = element("li", "", list);
    element("strong", one.title, card);
    element("p", one.about, card);
    const button = element("button", "Play", card);
    button.type = "button";
    button.dataset.scenario = one.name;
    button.setAttribute("aria-label", `Play: ${one.title}`);
    button.addEventListener("click", () => act(one.title, "POST", "/control/scenarios", { name: one.name }));
  }
}

function chooser(row, label, values, current, path, key, template) {
  const select = element("select", "", row);
  select.setAttribute("aria-label", `${label} of ${template.name} ${template.language}`);
  for (const value of values) {
    const option = element("option", value, select);
    option.selected = value === current;
  }
  select.addEventListener("change", () =>
    act(`${template.name} ${template.language} is ${select.value}`, "POST", path, { name: template.name, language: template.language, [key]: select.value }));
}

async function templates() {
  const list = document.getElementById("templates-list");
  const found = (await call("GET", "/control/templates")).templates;
  if (!found.length) element("li", "There are none.", list);
  for (const one of found) {
    const row = element("li", "", list);
    element("strong", `${one.name} (${one.language})`, row);
    chooser(row, "Status", ["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED"], one.status, "/control/templates/status", "status", one);
    chooser(row, "Category", ["MARKETING", "UTILITY", "AUTHENTICATION"], one.category, "/control/templates/category", "category", one);
  }
}

function submitted(id, name, path, read) {
  document.getElementById(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act(name, "POST", path, read(new FormData(event.target)));
  });
}

submitted("own", "Your scenario", "/control/scenarios", () => ({ yaml: document.getElementById("yaml").value }));
submitted("fault", "The next sends go wrong", "/control/faults", (form) => ({
  kind: form.get("kind"), code: Number(form.get("code")), times: Number(form.get("times")), every: Number(form.get("every")),
}));
submitted("status", "Statuses", "/control/statuses", (form) => ({ lose: form.getAll("lose"), delay: Number(form.get("delay")) }));
document.getElementById("heal").addEventListener("click", () => act("Nothing goes wrong any more", "DELETE", "/control/faults"));
for (const button of document.querySelectorAll("[data-quality]")) {
  button.addEventListener("click", () => act(`Rating ${button.dataset.quality}`, "POST", "/control/quality", { value: button.dataset.quality }));
}
for (const button of document.querySelectorAll("[data-expired]")) {
  button.addEventListener("click", () => act("Token", "POST", "/control/token", { expired: button.dataset.expired === "true" }));
}
scenarios();
templates();

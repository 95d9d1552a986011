// Run by the service `mongo-init` with mongosh, at every `docker compose up`; running it again changes nothing but passwords.
// It makes the replica set of one, and one user with least rights for each of the two databases.

const fs = require("fs");
const secret = (name) => fs.readFileSync(`/run/secrets/${name}`, "utf8").trim();
const main = process.env.RECADO_DATABASE;
const vault = process.env.RECADO_VAULT_DATABASE;

// The proof of consent: the bot may add to it and read it, and can neither change nor remove a row (GDPR art. 5(2), 7(1)).
const INSERT_ONLY = ["ledger", "ledger_leaves", "ledger_heads"];

// MongoDB adds rights up and cannot take one away, so the rest is named, not "everything but the ledger".
const WRITABLE = [
  "access_log", "api_answers", "api_keys", "audit_log", "campaigns", "canned_replies", "channel", "console_events", "conversations", "credentials", "dead_letters",
  "deliveries", "drafts", "erasure_jobs", "evidence", "exports", "flow_versions", "identities", "locks", "notes",
  "media", "media_chunks", "merges", "opt_in_requests", "pace", "requests", "schema", "seen_pages", "sends", "sessions", "staff", "suppressions", "templates",
  "texts", "tickets", "tombstones", "transcripts",
];
const VAULT = ["key_checks", "replay", "schema", "subjects"];

const GROW = ["find", "insert", "createCollection", "createIndex", "listIndexes"];
const WRITE = [...GROW, "update", "remove"];

function privileges(db, writable, insertOnly) {
  return [
    { resource: { db, collection: "" }, actions: ["listCollections", "dbStats"] },
    ...writable.map((collection) => ({ resource: { db, collection }, actions: WRITE })),
    ...insertOnly.map((collection) => ({ resource: { db, collection }, actions: GROW })),
  ];
}

function grant(client, db, role, rights, user, password) {
  const database = client.getDB(db);
  if (database.getRole(role) === null) {
    database.createRole({ role, privileges: rights, roles: [] });
  } else {
    database.updateRole(role, { privileges: rights, roles: [] });
  }
  if (database.getUser(user) === null) {
    database.createUser({ user, pwd: password, roles: [{ role, db }] });
  } else {
    database.updateUser(user, { pwd: password, roles: [{ role, db }] });
  }
}

function beginReplicaSet(admin) {
  try {
    admin.runCommand({ replSetGetStatus: 1 });
  } catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error;
    admin.runCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] } });
  }
  for (let attempt = 0; attempt < 120; attempt += 1) {
    if (admin.runCommand({ hello: 1 }).isWritablePrimary) return;
    sleep(500);
  }
  throw new Error("the replica set has no primary after a minute");
}

// The password stands in the address of this one connection inside the process, not on a command line.
const root = encodeURIComponent(secret("mongo_root_password"));
const client = new Mongo(`mongodb://root:${root}@mongo:27017/admin?directConnection=true`);
beginReplicaSet(client.getDB("admin"));
grant(client, main, "recadoBot", privileges(main, WRITABLE, INSERT_ONLY), "recado", secret("mongo_password"));
grant(client, vault, "recadoVault", privileges(vault, VAULT, []), "recado", secret("mongo_vault_password"));
print("The replica set and both users are ready.");

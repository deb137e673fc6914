// Runs every server audit of npm's graphql-http against argv[2] and prints the outcomes as JSON.
// The Authorization header comes from the environment, so that no process list shows it.
import { createRequire } from "node:module";

const { serverAudits } = createRequire(new URL("../../web/package.json", import.meta.url))("graphql-http");

const authorization = process.env.AUTHORIZATION;
const fetchFn = (url, init = {}) =>
  fetch(url, { ...init, headers: { ...init.headers, ...(authorization && { authorization }) } });

// An audit throws where the server broke the connection or sent something that is no JSON: that too is its outcome.
const run = (audit) => audit.fn().catch((error) => ({ status: "error", reason: `${error} ${error.cause ?? ""}` }));

const outcomes = [];
for (const audit of serverAudits({ url: process.argv[2], fetchFn })) {
  const { status, reason, response } = await run(audit);
  const answer = response && `${response.status} ${response.headers.get("content-type")}`;
  outcomes.push({ id: audit.id, name: audit.name, passed: status === "ok", reason, answer });
}
process.stdout.write(JSON.stringify(outcomes));

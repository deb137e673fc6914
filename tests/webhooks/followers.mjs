// npm's graphql-sse and graphql-ws, unmodified, follow the events of a server that comes and goes.
// Each event is printed on a line: who got it, and which resource it tells of. Retried as the clients' own settings say;
// `variables.after` is what they send again, so setting it to the last cursor is all that going on takes.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { modules, url, token, since, most } = JSON.parse(process.env.GIVEN);
const require = createRequire(modules + "/");
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const overSse = await load("graphql-sse");
const overWs = await load("graphql-ws");

const query = `subscription ($after: String, $since: DateTime) {
  events(after: $after, since: $since) { cursor node { resourceId } }
}`;
const retrying = { retryAttempts: 1000, retryWait: () => new Promise((done) => setTimeout(done, 100)), shouldRetry: () => true };
const authorization = `Bearer ${token}`;

function follow(name, client) {
  const request = { query, variables: { since, after: null } };
  let got = 0;
  return new Promise((done, failed) => {
    const stop = client.subscribe(request, {
      next({ data, errors }) {
        if (errors) return failed(new Error(JSON.stringify(errors)));
        request.variables.after = data.events.cursor;
        console.log(`${name} ${data.events.node.resourceId}`);
        if (++got === most) { stop(); done(); }
      },
      error: failed,
      complete: done,
    });
  });
}

const sse = overSse.createClient({ url: `${url}/graphql/preview`, headers: { authorization }, ...retrying });
const socket = overWs.createClient({
  url: `${url.replace("http", "ws")}/graphql/preview`, connectionParams: { authorization }, ...retrying,
});
await Promise.all([follow("sse", sse), follow("ws", socket)]);
const one = { query: "{ me { handle } }" };
for await (const { data } of sse.iterate(one)) console.log(`sse ${data.me.handle}`);
for await (const { data } of socket.iterate(one)) console.log(`ws ${data.me.handle}`);
process.exit(0);

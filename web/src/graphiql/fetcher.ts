import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, parse as parseDocument } from "graphql";
import { createClient } from "graphql-sse";

const ACCEPT = "application/graphql-response+json, application/json;q=0.9";
const CREDENTIALS = ["authorization", "x-api-key"];
const NO_CREDENTIAL =
  'Nothing was sent: this API answers only with a credential. Put one into the headers, ' +
  'as {"Authorization": "Bearer <access token or sandbox API key>"}.';

type Headers = Record<string, string>;

/**
 * Posts to the page's own path: `/graphql` and `/graphql/preview` each query their own schema.
 *
 * A credential given in one tab serves the others too, until the page is closed.
 */
export function createFetcher(): Fetcher {
  let credential: Headers = {};
  return async (params, options) => {
    const headers = given(options?.headers);
    const own = credentialOf(headers);
    if (Object.keys(own).length > 0) credential = own;
    // Without this, opening the page would cost the reader a refused request before the first key is pressed.
    if (Object.keys(credential).length === 0) throw new Error(NO_CREDENTIAL);
    const sent = { ...params, operationName: currentName(params) };
    return (isSubscription(sent) ? follow : send)(sent, { ...credential, ...headers });
  };
}

type Sent = Omit<FetcherParams, "operationName"> & { operationName: string | undefined };

/** Read from the text: GraphiQL's own idea of the operation is a moment late, too. */
function isSubscription({ query, operationName }: Sent): boolean {
  try {
    return getOperationAST(parseDocument(query), operationName)?.operation === "subscription";
  } catch {
    return false; // the server says what is wrong with it, and where
  }
}

/** A stream of server-sent events: unlike a WebSocket's handshake, its request carries the headers of the editor. */
function follow({ operationName, ...sent }: Sent, headers: Headers) {
  // No retry: it would begin now again, and what came meanwhile would be missing without a word.
  const client = createClient({ url: window.location.pathname, headers, credentials: "omit", retryAttempts: 0 });
  return client.iterate(operationName ? { ...sent, operationName } : sent);
}

async function send(sent: Sent, headers: Headers) {
  const answer = await fetch(window.location.pathname, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: ACCEPT, ...headers },
    body: JSON.stringify(sent),
    credentials: "omit",
  });
  return parse(answer);
}

function credentialOf(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => CREDENTIALS.includes(name.toLowerCase())));
}

/** GraphiQL learns an edited operation's name a moment late; a query run within it would carry the old name. */
function currentName({ query, operationName }: FetcherParams): string | undefined {
  return operationName && query.includes(operationName) ? operationName : undefined;
}

/** The headers that have a value: the untouched template `"Bearer "` is no credential. */
function given(headers: Record<string, unknown> = {}): Headers {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value).trim()] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== "" && value.toLowerCase() !== "bearer"));
}

async function parse(answer: Response) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${answer.status} with something that is not JSON: ${text.slice(0, 200)}`);
  }
}

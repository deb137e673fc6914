// Clients that others wrote, npm's oauth4webapi and openid-client, against a running server. Prints what they did as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const given = JSON.parse(process.env.GIVEN);
const require = createRequire(given.modules + "/");
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const oauth = await load("oauth4webapi");
const openid = await load("openid-client");
const done = [];
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.issuer);

// The creator's browser: keeps a cookie, fills forms in.
let cookie = "";
const unescape = (text) => text.replaceAll("&amp;", "&").replaceAll("&#34;", '"').replaceAll("&#39;", "'");
async function visit(url, body) {
  const answer = await fetch(url, {
    method: body ? "POST" : "GET", redirect: "manual", headers: cookie ? { cookie } : {}, body,
  });
  const set = answer.headers.get("set-cookie");
  if (set) cookie = set.split(";")[0];
  return answer;
}
function form(html) {
  const found = html.match(/<form[\s\S]*?<\/form>/g).at(-1);
  const fields = new URLSearchParams();
  for (const [, name, value] of found.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)) fields.append(name, unescape(value));
  for (const [, value] of found.matchAll(/name="scope" value="([^"]+)"/g)) fields.append("scope", value);
  return [new URL(unescape(found.match(/action="([^"]*)"/)[1]), issuer), fields];
}
async function allow(url) {
  let answer = await visit(url);
  if (answer.status === 200 && (await answer.clone().text()).includes('name="password"')) {
    const [action, fields] = form(await answer.text());
    fields.set("email", given.email);
    fields.set("password", given.password);
    answer = await visit(new URL((await visit(action, fields)).headers.get("location"), issuer));
  }
  if (answer.status === 200) {
    const [action, fields] = form(await answer.text());
    fields.set("decision", "allow");
    fields.set("which", "all");
    answer = await visit(action, fields);
  }
  return new URL(answer.headers.get("location"));
}

const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }),
);
done.push("oauth4webapi: discovery");
const client = { client_id: given.client_id };
const secret = oauth.ClientSecretBasic(given.client_secret);

let result = await oauth.processClientCredentialsResponse(
  as, client, await oauth.clientCredentialsGrantRequest(as, client, secret, { scope: "profile:read" }, insecure),
);
await oauth.validateJwtAccessToken(
  as, new Request(`${given.issuer}/v1/me`, { headers: { authorization: `Bearer ${result.access_token}` } }),
  given.issuer, insecure,
);
done.push("oauth4webapi: client credentials, JWT access token validated");

const pair = await oauth.generateKeyPair("ES256");
const DPoP = oauth.DPoP(client, pair);
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const parameters = new URLSearchParams({
  response_type: "code", redirect_uri: given.redirect_uri, scope: "profile:read storefronts:read", state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", client_id: given.client_id,
});
const pushed = await oauth.processPushedAuthorizationResponse(
  as, client, await oauth.pushedAuthorizationRequest(as, client, secret, parameters, { DPoP, ...insecure }),
);
done.push("oauth4webapi: pushed authorization request");
const link = new URL(as.authorization_endpoint);
link.search = new URLSearchParams({ client_id: given.client_id, request_uri: pushed.request_uri });
const back = oauth.validateAuthResponse(as, client, await allow(link), state);
result = await oauth.processAuthorizationCodeResponse(
  as, client,
  await oauth.authorizationCodeGrantRequest(as, client, secret, back, given.redirect_uri, verifier, { DPoP, ...insecure }),
);
if (result.token_type !== "dpop") throw new Error(`token_type ${result.token_type}`);
done.push("oauth4webapi: authorization code, PKCE, iss, DPoP");
const me = await oauth.protectedResourceRequest(
  result.access_token, "GET", new URL(`${given.issuer}/v1/me`), undefined, undefined, { DPoP, ...insecure },
);
if (me.status !== 200) throw new Error(`/v1/me ${me.status} ${await me.text()}`);
done.push("oauth4webapi: protected resource by DPoP");
const stolen = await fetch(`${given.issuer}/v1/me`, { headers: { authorization: `Bearer ${result.access_token}` } });
if (stolen.status !== 401) throw new Error(`a bound token passed as Bearer: ${stolen.status}`);
result = await oauth.processRefreshTokenResponse(
  as, client, await oauth.refreshTokenGrantRequest(as, client, secret, result.refresh_token, { DPoP, ...insecure }),
);
done.push("oauth4webapi: refresh");
let seen = await oauth.processIntrospectionResponse(
  as, client, await oauth.introspectionRequest(as, client, secret, result.access_token, insecure),
);
if (!seen.active) throw new Error("not active");
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, secret, result.access_token, insecure));
seen = await oauth.processIntrospectionResponse(
  as, client, await oauth.introspectionRequest(as, client, secret, result.access_token, insecure),
);
if (seen.active) throw new Error("still active");
done.push("oauth4webapi: introspection and revocation");

const resource = new URL(`${given.issuer}/`);
const metadata = await oauth.processResourceDiscoveryResponse(
  new URL(given.issuer), await oauth.resourceDiscoveryRequest(new URL(given.issuer), insecure),
).catch((error) => ({ error }));
if (metadata.error) throw metadata.error;
done.push("oauth4webapi: protected resource metadata");

const signing = await crypto.subtle.importKey(
  "jwk", given.assertion_key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"],
);
const robot = { client_id: given.assertion_client_id };
const proof = oauth.PrivateKeyJwt({ key: signing, kid: given.assertion_key.kid });
result = await oauth.processClientCredentialsResponse(
  as, robot, await oauth.clientCredentialsGrantRequest(as, robot, proof, { scope: "profile:read" }, insecure),
);
done.push("oauth4webapi: private_key_jwt");

// A client whose proofs need a nonce of the server's: led to it by an error, at the token endpoint and at the API.
const bound = { client_id: given.bound.client_id };
const boundSecret = oauth.ClientSecretPost(given.bound.client_secret);
const nonced = oauth.DPoP(bound, await oauth.generateKeyPair("ES256"));
let errors = 0;
const again = async (work) => work().catch((error) => {
  if (!oauth.isDPoPNonceError(error)) throw error;
  errors += 1;
  return work();
});
result = await again(async () => oauth.processClientCredentialsResponse(
  as, bound, await oauth.clientCredentialsGrantRequest(as, bound, boundSecret, {}, { DPoP: nonced, ...insecure }),
));
const held = await again(() => oauth.protectedResourceRequest(
  result.access_token, "GET", new URL(`${given.issuer}/v1/me`), undefined, undefined, { DPoP: nonced, ...insecure },
));
if (held.status !== 200 || errors !== 1) throw new Error(`nonces: ${held.status} after ${errors} errors`);
done.push("oauth4webapi: nonces of the server's");

const config = await openid.discovery(issuer, given.client_id, given.client_secret, undefined, {
  algorithm: "oauth2", execute: [openid.allowInsecureRequests],
});
const handle = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
const plain = await openid.clientCredentialsGrant(config, { scope: "storefronts:read" });
if (plain.scope !== "storefronts:read") throw new Error(plain.scope);
const second = openid.randomPKCECodeVerifier();
const expected = openid.randomState();
const start = await openid.buildAuthorizationUrlWithPAR(config, {
  redirect_uri: given.redirect_uri, scope: "profile:read", state: expected,
  code_challenge: await openid.calculatePKCECodeChallenge(second), code_challenge_method: "S256",
});
const tokens = await openid.authorizationCodeGrant(
  config, await allow(start), { pkceCodeVerifier: second, expectedState: expected }, undefined, { DPoP: handle },
);
const answer = await openid.fetchProtectedResource(
  config, tokens.access_token, new URL(`${given.issuer}/v1/me`), "GET", undefined, undefined, { DPoP: handle },
);
if (answer.status !== 200) throw new Error(`/v1/me ${answer.status}`);
done.push("openid-client: discovery, client credentials, PAR, code with PKCE, DPoP, protected resource");
console.log(JSON.stringify(done));

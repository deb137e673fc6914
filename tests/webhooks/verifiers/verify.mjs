// Reads {"secret", "body", "headers"} from standard input and has each library verify it, unmodified.
import { readFileSync } from "node:fs";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const { secret, body, headers } = JSON.parse(readFileSync(0, "utf8"));
const verdicts = {};
for (const [name, Library] of Object.entries({ standardwebhooks: Standard, svix: Svix })) {
  try {
    new Library(secret).verify(body, headers);
    verdicts[name] = "verified";
  } catch (error) {
    verdicts[name] = `refused: ${error.message}`;
  }
}
console.log(JSON.stringify(verdicts));

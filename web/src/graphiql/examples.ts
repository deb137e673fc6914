import type { GraphiQLProps } from "graphiql";

import me from "./examples/me.graphql?raw";
import upsert from "./examples/product_upsert.graphql?raw";
import upsertVariables from "./examples/product_upsert.json?raw";
import storefronts from "./examples/storefronts.graphql?raw";
import storefrontsVariables from "./examples/storefronts.json?raw";

/** What the headers editor of a new tab holds: the reader pastes a token or key after `Bearer `. */
export const HEADERS = `{
  "Authorization": "Bearer "
}`;

/** The tabs of a first visit. A test holds each document to schema.graphql. */
export const examples: NonNullable<GraphiQLProps["defaultTabs"]> = [
  { query: storefronts, variables: storefrontsVariables, headers: HEADERS },
  { query: me, headers: HEADERS },
  { query: upsert, variables: upsertVariables, headers: HEADERS },
];

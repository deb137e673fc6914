// mercurius with its JIT and dataloaders over this project's tables: the schema that the benchmark's selections need.
// DSN and PORT come from the environment; one process.
import DataLoader from "dataloader";
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DSN, max: 10 });
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const typeDefs = `
  type Money { amount: String! currency: String! }
  type User { id: ID! handle: String! }
  type AffiliateLink { id: ID! code: String! clicks: Int! affiliate: User! }
  type AffiliateLinkConnection { nodes: [AffiliateLink!]! }
  type Product { id: ID! title: String! price: Money! totalInventory: Int affiliateLinks(first: Int = 20): AffiliateLinkConnection! }
  type ProductConnection { nodes: [Product!]! }
  type Storefront { id: ID! handle: String! status: String! productsCount: Int! owner: User! products(first: Int = 20): ProductConnection! }
  type StorefrontConnection { nodes: [Storefront!]! }
  type Query { storefront(id: ID!): Storefront storefronts(first: Int = 20): StorefrontConnection! }
`;

// One statement for all keys that one turn of the loop asks for.
const byKey = (name, text, key) =>
  new DataLoader(async (keys) => {
    const found = new Map((await rows(name, text, [keys])).map((row) => [row[key], row]));
    return keys.map((id) => found.get(id) ?? null);
  });

const pages = (name, text) => {
  const sizes = new Map();
  return (first, id) => {
    if (!sizes.has(first))
      sizes.set(first, new DataLoader(async (keys) => {
        const lists = new Map(keys.map((key) => [key, []]));
        for (const row of await rows(name, text, [keys, first])) lists.get(row.parent).push(row);
        return keys.map((key) => lists.get(key));
      }));
    return sizes.get(first).load(id);
  };
};

const STOREFRONT = "id, handle, upper(status) as status, owner_id";
const loaders = () => ({
  storefront: byKey("storefront", `select ${STOREFRONT} from storefronts where id = any($1::text[])`, "id"),
  user: byKey("user", "select id, handle from users where id = any($1::text[])", "id"),
  stock: byKey("stock", "select product_id, sum(available)::int as total from inventory where product_id = any($1::text[]) group by 1", "product_id"),
  count: byKey("count", "select storefront_id, count(*)::int as total from products where storefront_id = any($1::text[]) group by 1", "storefront_id"),
  products: pages("products", `select keys.parent, page.* from unnest($1::text[]) keys(parent) cross join lateral
    (select id, title, price_amount, price_currency from products where storefront_id = keys.parent order by id limit $2) page`),
  links: pages("links", `select keys.parent, page.* from unnest($1::text[]) keys(parent) cross join lateral
    (select id, code, clicks::int, affiliate_id from affiliate_links where product_id = keys.parent order by id limit $2) page`),
});

const resolvers = {
  Query: {
    storefront: (_, { id }, { load }) => load.storefront.load(id),
    storefronts: async (_, { first }) => ({ nodes: await rows("storefronts", `select ${STOREFRONT} from storefronts order by id limit $1`, [first]) }),
  },
  Storefront: {
    owner: (row, _, { load }) => load.user.load(row.owner_id),
    productsCount: async (row, _, { load }) => (await load.count.load(row.id))?.total ?? 0,
    products: async (row, { first }, { load }) => ({ nodes: await load.products(first, row.id) }),
  },
  Product: {
    price: (row) => ({ amount: row.price_amount, currency: row.price_currency }),
    totalInventory: async (row, _, { load }) => (await load.stock.load(row.id))?.total ?? null,
    affiliateLinks: async (row, { first }, { load }) => ({ nodes: await load.links(first, row.id) }),
  },
  AffiliateLink: { affiliate: (row, _, { load }) => load.user.load(row.affiliate_id) },
};

const app = Fastify({ logger: false });
await app.register(mercurius, { schema: typeDefs, resolvers, jit: 1, graphiql: false, context: () => ({ load: loaders() }) });
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });

import Type, { type Static } from 'typebox';
import type { Resolvable } from './run-query.ts';

const closed = { additionalProperties: false };
const text = Type.Optional(Type.String());

/** A product of the shop. */
export const ProductInput = Type.Object(
  {
    title: Type.String({ minLength: 1 }),
    handle: text,
    sku: text,
    price: text,
    stock: Type.Optional(Type.Integer()),
  },
  closed,
);
/** A customer of the shop. */
export const CustomerInput = Type.Object(
  { email: text, phone: text, firstName: text, lastName: text },
  closed,
);
const LineItem = Type.Object(
  { title: Type.String(), quantity: Type.Optional(Type.Integer({ minimum: 1 })), price: text, sku: text },
  closed,
);
/** An order, or a checkout that may become one. */
export const OrderInput = Type.Object(
  {
    ...{
      email: text,
      phone: text,
      firstName: text,
      financialStatus: text,
      fulfillmentStatus: text,
      trackingNumber: text,
    },
    currency: text,
    checkoutToken: text,
    lineItems: Type.Optional(Type.Array(LineItem, { maxItems: 500 })),
  },
  closed,
);
export type ProductInput = Static<typeof ProductInput>;
export type CustomerInput = Static<typeof CustomerInput>;
export type OrderInput = Static<typeof OrderInput>;

/** Ids have 18 digits, as some of Shopify's do: more than a double holds. */
const FIRST_ID = 820_982_911_946_154_500n;

/** A thing of the shop: as GraphQL shows it, and as its webhooks do. */
export interface ShopRecord {
  /** Digits. */
  id: string;
  search: Record<string, string>;
  graph: Resolvable;
  /** JSON text, whose ids keep all digits. */
  rest: string;
}

/** What a shop has. */
export interface ShopData {
  products: ShopRecord[];
  customers: ShopRecord[];
  orders: ShopRecord[];
  addProduct(input: ProductInput): ShopRecord;
  addCustomer(input: CustomerInput): ShopRecord;
  addOrder(input: OrderInput): ShopRecord;
  /** A checkout is only told of by webhooks. */
  makeCheckout(input: OrderInput): ShopRecord;
  /** What queries begin at. */
  root(): Resolvable;
  clear(): void;
}

/** Makes an empty shop. */
export function createShopData(shop: { domain: string; name: string; currency: string }): ShopData {
  let lastId = FIRST_ID;
  let orderNumber = 1000;
  const products: ShopRecord[] = [];
  const customers: ShopRecord[] = [];
  const orders: ShopRecord[] = [];
  const nextId = () => String(++lastId);
  const gid = (type: string, id: string) => `gid://shopify/${type}/${id}`;

  function customerOf(input: {
    email?: string | undefined;
    phone?: string | undefined;
    firstName?: string | undefined;
  }) {
    const { email, phone } = input;
    if (email === undefined && phone === undefined) return undefined;
    const known = customers.find(
      ({ search }) =>
        (email !== undefined && search.email === email) || (phone !== undefined && search.phone === phone),
    );
    const { email: e, phone: p, firstName } = input;
    return (
      known ??
      data.addCustomer({ ...(e && { email: e }), ...(p && { phone: p }), ...(firstName && { firstName }) })
    );
  }

  function moneyOf(lines: NonNullable<OrderInput['lineItems']>): string {
    return lines
      .reduce((sum, { price = '10.00', quantity = 1 }) => sum + Number(price) * quantity, 0)
      .toFixed(2);
  }

  const data: ShopData = {
    products,
    customers,
    orders,
    addProduct({
      title,
      handle = title.toLowerCase().replaceAll(/\W+/g, '-'),
      sku = '',
      price = '10.00',
      stock = 5,
    }) {
      const id = nextId();
      const money = { amount: price, currencyCode: shop.currency };
      const variant = {
        id: gid('ProductVariant', nextId()),
        title: 'Default Title',
        sku,
        price,
        inventoryQuantity: stock,
      };
      const record: ShopRecord = {
        id,
        search: { title, handle, sku },
        graph: {
          ...{
            id: gid('Product', id),
            legacyResourceId: id,
            title,
            handle,
            status: 'ACTIVE',
            totalInventory: stock,
          },
          onlineStoreUrl: `https://${shop.domain}/products/${handle}`,
          priceRangeV2: { minVariantPrice: money, maxVariantPrice: money },
          variants: connection([variant]),
        },
        rest: `{"id":${id},"admin_graphql_api_id":"${gid('Product', id)}","title":${JSON.stringify(title)},"handle":"${handle}"}`,
      };
      products.push(record);
      return record;
    },
    addCustomer({ email, phone, firstName = 'Ada', lastName = 'Lovelace' }) {
      const id = nextId();
      const rest = { email: email ?? null, phone: phone ?? null, first_name: firstName, last_name: lastName };
      const record: ShopRecord = {
        id,
        search: { email: email ?? '', phone: phone ?? '' },
        graph: {
          ...{
            id: gid('Customer', id),
            legacyResourceId: id,
            firstName,
            lastName,
            displayName: `${firstName} ${lastName}`,
          },
          ...{ numberOfOrders: '0', tags: [], createdAt: new Date().toISOString(), note: null, locale: 'en' },
          amountSpent: { amount: '0.0', currencyCode: shop.currency },
          defaultEmailAddress: email === undefined ? null : { emailAddress: email },
          defaultPhoneNumber: phone === undefined ? null : { phoneNumber: phone },
        },
        rest: `{"id":${id},"admin_graphql_api_id":"${gid('Customer', id)}",${JSON.stringify(rest).slice(1)}`,
      };
      customers.push(record);
      return record;
    },
    addOrder(input) {
      const record = make('Order', input, `#${++orderNumber}`);
      orders.push(record);
      return record;
    },
    makeCheckout: (input) => make('Checkout', input, ''),
    root: () => ({
      shop: {
        ...{
          id: gid('Shop', '1'),
          name: shop.name,
          myshopifyDomain: shop.domain,
          currencyCode: shop.currency,
        },
        ...{
          ianaTimezone: 'Europe/Berlin',
          email: `owner@${shop.domain}`,
          primaryDomain: { url: `https://${shop.domain}` },
        },
        plan: { publicDisplayName: 'Basic' },
      },
      order: ({ id }: { id: string }) => find(orders, id),
      customer: ({ id }: { id: string }) => find(customers, id),
      product: ({ id }: { id: string }) => find(products, id),
      orders: list(orders),
      customers: list(customers),
      products: list(products),
    }),
    clear() {
      products.length = 0;
      customers.length = 0;
      orders.length = 0;
    },
  };

  function make(type: 'Order' | 'Checkout', input: OrderInput, name: string): ShopRecord {
    const {
      email,
      phone,
      currency = shop.currency,
      financialStatus = 'PAID',
      fulfillmentStatus = 'UNFULFILLED',
    } = input;
    const customer = customerOf(input);
    const id = nextId();
    const lines = input.lineItems ?? [{ title: 'Blue socks', quantity: 2, price: '9.50', sku: 'SOCK-BLUE' }];
    const total = moneyOf(lines);
    const createdAt = new Date().toISOString();
    const token = input.checkoutToken ?? `tok${id}`;
    const statusUrl = `https://${shop.domain}/orders/${id}`;
    const items = lines.map(({ title, quantity = 1, price = '10.00', sku = '' }) => {
      const itemId = nextId();
      const set = { shopMoney: { amount: price, currencyCode: currency } };
      return {
        graph: { id: gid('LineItem', itemId), title, quantity, sku, originalUnitPriceSet: set },
        rest: `{"id":${itemId},${JSON.stringify({ title, quantity, price, sku }).slice(1)}`,
      };
    });
    const { trackingNumber } = input;
    const tracking = {
      company: 'DHL',
      number: trackingNumber,
      url: `https://track.example/${trackingNumber}`,
    };
    const rest = {
      ...{
        created_at: createdAt,
        currency,
        total_price: total,
        email: email ?? '',
        phone: phone ?? null,
        name,
      },
      ...(type === 'Order'
        ? {
            financial_status: financialStatus.toLowerCase(),
            fulfillment_status: null,
            checkout_token: token,
            order_status_url: statusUrl,
          }
        : {
            token,
            abandoned_checkout_url: `https://${shop.domain}/checkouts/${token}/recover`,
            completed_at: null,
          }),
    };
    return {
      id,
      search: {
        ...{ name, email: email ?? '', phone: phone ?? '', customer_id: customer?.id ?? '' },
        checkout_token: token,
      },
      graph: {
        ...{
          id: gid(type, id),
          legacyResourceId: id,
          name,
          email: email ?? null,
          phone: phone ?? null,
          createdAt,
        },
        ...{
          cancelledAt: null,
          closedAt: null,
          displayFinancialStatus: financialStatus,
          note: null,
          tags: [],
        },
        displayFulfillmentStatus: fulfillmentStatus,
        statusPageUrl: statusUrl,
        totalPriceSet: { shopMoney: { amount: total, currencyCode: currency } },
        customer: customer?.graph ?? null,
        lineItems: connection(items.map(({ graph }) => graph)),
        fulfillments: () =>
          trackingNumber === undefined
            ? []
            : [
                {
                  id: gid('Fulfillment', '1'),
                  status: 'SUCCESS',
                  displayStatus: 'IN_TRANSIT',
                  trackingInfo: [tracking],
                },
              ],
      },
      rest: `{"id":${id},"admin_graphql_api_id":"${gid(type, id)}",${JSON.stringify(rest).slice(1, -1)},"customer":${
        customer?.rest ?? 'null'
      },"line_items":[${items.map((item) => item.rest).join(',')}]}`,
    };
  }
  return data;
}

function find(records: readonly ShopRecord[], id: string): Resolvable | null {
  return records.find(({ graph }) => graph.id === id)?.graph ?? null;
}

/** Searches like `name:"#1001"`, `email:ada@example.com` or a word; all terms must match. */
function list(records: readonly ShopRecord[]) {
  return (args: {
    query?: string | null;
    reverse?: boolean | null;
    first?: number;
    after?: string | null;
  }) => {
    const terms = [...(args.query ?? '').matchAll(/(?:(\w+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)];
    const found = records.filter(({ search }) =>
      terms.every(([, field, quoted, plain]) => {
        const wanted = (quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '').toLowerCase();
        if (field !== undefined) return (search[field] ?? '').toLowerCase() === wanted;
        return Object.values(search).some((value) => value.toLowerCase().includes(wanted));
      }),
    );
    const ordered = args.reverse ? found.toReversed() : found;
    return connection(ordered.map(({ graph }) => graph))(args);
  };
}

/** Pages by a cursor that is a position. */
function connection(nodes: readonly Resolvable[]) {
  return ({ first, after }: { first?: number; after?: string | null }) => {
    if (typeof first !== 'number') throw new Error('you must provide one of first or last');
    if (first > 250) throw new Error('first must be at most 250');
    const from = after ? Number(Buffer.from(after, 'base64').toString()) : 0;
    const page = nodes.slice(from, from + first);
    const end = from + page.length;
    return {
      nodes: page,
      pageInfo: {
        hasNextPage: end < nodes.length,
        endCursor: page.length === 0 ? null : Buffer.from(String(end)).toString('base64'),
      },
    };
  };
}

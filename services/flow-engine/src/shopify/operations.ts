import type { Operation } from './create-admin-client.ts';

const money = 'shopMoney { amount currencyCode }';
const lineItems = `nodes { id title quantity sku originalUnitPriceSet { ${money} } } pageInfo { hasNextPage endCursor }`;
const customerFields = `
  id legacyResourceId displayName firstName lastName numberOfOrders tags createdAt locale
  amountSpent { amount currencyCode }
  defaultEmailAddress { emailAddress }
  defaultPhoneNumber { phoneNumber }`;
const orderFields = `
  id legacyResourceId name email phone createdAt cancelledAt closedAt tags note
  displayFinancialStatus displayFulfillmentStatus statusPageUrl
  totalPriceSet { ${money} }
  customer { id legacyResourceId displayName firstName lastName
    defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } }
  fulfillments(first: 10) { id status displayStatus trackingInfo { company number url } }
  lineItems(first: 50) { ${lineItems} }`;
const productFields = `
  id legacyResourceId title handle status totalInventory onlineStoreUrl
  priceRangeV2 { minVariantPrice { amount currencyCode } maxVariantPrice { amount currencyCode } }
  variants(first: 20) { nodes { id title sku price inventoryQuantity } pageInfo { hasNextPage endCursor } }`;

const byId = (name: string, field: string, fields: string, cost: number): Operation => ({
  name,
  text: `query ${name}($id: ID!) { ${field}(id: $id) { ${fields} } }`,
  cost,
});
const bySearch = (name: string, field: string, fields: string, cost: number): Operation => ({
  name,
  text: `query ${name}($query: String!) {
    ${field}(first: 1, query: $query, sortKey: CREATED_AT, reverse: true) { nodes { ${fields} } } }`,
  cost,
});

/** The look-ups, by id and by search; the newest hit counts. */
export const lookups = {
  order: {
    type: 'Order',
    byId: byId('OrderById', 'order', orderFields, 120),
    bySearch: bySearch('OrderBySearch', 'orders', orderFields, 130),
  },
  customer: {
    type: 'Customer',
    byId: byId('CustomerById', 'customer', customerFields, 5),
    bySearch: bySearch('CustomerBySearch', 'customers', customerFields, 10),
  },
  product: {
    type: 'Product',
    byId: byId('ProductById', 'product', productFields, 30),
    bySearch: bySearch('ProductBySearch', 'products', productFields, 35),
  },
} as const;

/** The rest of an order's lines. */
export const moreLineItems: Operation = {
  name: 'OrderLineItems',
  text: `query OrderLineItems($id: ID!, $after: String) {
    order(id: $id) { lineItems(first: 100, after: $after) { ${lineItems} } } }`,
  cost: 205,
};

/** What hardly changes about a shop. */
export const shopMetadata: Operation = {
  name: 'ShopMetadata',
  text: `query ShopMetadata { shop { id name myshopifyDomain currencyCode ianaTimezone email
    primaryDomain { url } plan { publicDisplayName } } }`,
  cost: 3,
};

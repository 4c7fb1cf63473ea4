/**
 * A node as flows read it: connections are lists, money is `{amount, currency}` in text, and what Shopify nests for its own reasons
 * (`displayFinancialStatus`, `defaultEmailAddress`) has the name that people would look for.
 */
export function toRecord(node: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => [names[name] ?? name, simplify(value)]),
  );
}

const names: Record<string, string> = {
  legacyResourceId: 'legacyId',
  displayFinancialStatus: 'financialStatus',
  displayFulfillmentStatus: 'fulfillmentStatus',
  statusPageUrl: 'statusUrl',
  totalPriceSet: 'total',
  originalUnitPriceSet: 'price',
  defaultEmailAddress: 'email',
  defaultPhoneNumber: 'phone',
  trackingInfo: 'tracking',
  priceRangeV2: 'priceRange',
  onlineStoreUrl: 'url',
};

function simplify(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(simplify);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  if (Array.isArray(object.nodes)) return object.nodes.map(simplify);
  if ('shopMoney' in object) return simplify(object.shopMoney);
  if ('emailAddress' in object) return object.emailAddress;
  if ('phoneNumber' in object) return object.phoneNumber;
  if ('currencyCode' in object && 'amount' in object)
    return { amount: object.amount, currency: object.currencyCode };
  return toRecord(object);
}

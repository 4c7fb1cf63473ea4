import { type Identifier, parseEmail, parseLocalPhone } from '../contacts/address.ts';

/** Whom an event of a shop or of the merchant's systems is about, as far as it says. */
export interface EventPerson {
  identifiers: Identifier[];
  name?: string;
  /** ISO language code, perhaps with a region. */
  language?: string;
}

type Loose = Record<string, unknown>;

/**
 * Reads the person out of a Shopify event's body. Only what the shop knows of the customer himself counts as his: the customer's
 * id, email and phone number, and those the order or checkout was made with. An address's phone number is taken where there is no
 * other: it may be somebody else's who is sent a present.
 *
 * @param topic its resource says whether the body is a customer itself.
 */
export function readShopifyPerson(body: string, topic: string, defaultCountry: string | null): EventPerson {
  const root = parse(body);
  const isCustomer = topic.startsWith('customers/');
  const customer = isCustomer ? root : objectOf(root.customer);
  const addresses = [
    objectOf(root.shipping_address),
    objectOf(root.billing_address),
    objectOf(customer.default_address),
  ];
  const country =
    firstText(...addresses.map(({ country_code }) => country_code)) ?? defaultCountry ?? undefined;
  const phone =
    phoneOf(country, customer.phone, root.phone) ??
    addresses
      .map((address) => phoneOf(firstText(address.country_code) ?? country, address.phone))
      .find((found) => found !== undefined);
  const person = collect({
    shopify_customer_id: idOf(customer),
    phone,
    email: emailOf(customer.email, root.email, root.contact_email),
  });
  const holder = [customer, ...addresses].find(({ first_name, last_name }) =>
    firstText(first_name, last_name),
  );
  const name =
    holder && [firstText(holder.first_name), firstText(holder.last_name)].filter(Boolean).join(' ');
  return withProfile(person, name, firstText(customer.locale, root.customer_locale));
}

/**
 * Reads the person out of a custom event: of `contact`, `customer` or the body itself, the first that names somebody: `phone`,
 * `userId`, `email`, `externalId`, `shopifyCustomerId`, and `name`, `language`, `country` beside them.
 */
export function readCustomPerson(body: string, defaultCountry: string | null): EventPerson {
  const root = parse(body);
  for (const place of [objectOf(root.contact), objectOf(root.customer), root]) {
    const country = firstText(place.country, place.country_code) ?? defaultCountry ?? undefined;
    const identifiers = collect({
      phone: phoneOf(country, place.phone),
      user_id: plain(place.userId),
      email: emailOf(place.email),
      external_id: plain(place.externalId),
      shopify_customer_id: plain(place.shopifyCustomerId),
    });
    if (identifiers.length > 0)
      return withProfile(identifiers, firstText(place.name), firstText(place.language));
  }
  return { identifiers: [] };
}

function withProfile(
  identifiers: Identifier[],
  name: string | undefined,
  language: string | undefined,
): EventPerson {
  return {
    identifiers,
    ...(name ? { name: name.slice(0, 512) } : {}),
    ...(language ? { language: language.slice(0, 64) } : {}),
  };
}

function parse(body: string): Loose {
  try {
    // Ids are longer than numbers are exact: those are read as the text they are.
    return objectOf(
      JSON.parse(body, (_key, value: unknown, context?: { source?: string }) =>
        typeof value === 'number' && !Number.isSafeInteger(value) && /^\d+$/.test(context?.source ?? '')
          ? context?.source
          : value,
      ),
    );
  } catch {
    return {};
  }
}

function collect(values: Partial<Record<Identifier['kind'], string | undefined>>): Identifier[] {
  return Object.entries(values).flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind: kind as Identifier['kind'], value }],
  );
}

/** A customer's id: digits, exact. */
function idOf(customer: Loose): string | undefined {
  const { id, admin_graphql_api_id } = customer;
  if (typeof admin_graphql_api_id === 'string')
    return /^gid:\/\/shopify\/Customer\/(\d{1,20})$/.exec(admin_graphql_api_id)?.[1] ?? digitsOf(id);
  return digitsOf(id);
}

function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? String(value) : undefined;
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? value : undefined;
}

function phoneOf(country: string | undefined, ...values: unknown[]): string | undefined {
  for (const value of values) {
    const phone = typeof value === 'string' && value !== '' ? parseLocalPhone(value, country) : undefined;
    if (phone !== undefined) return phone;
  }
  return undefined;
}

function emailOf(...values: unknown[]): string | undefined {
  for (const value of values) {
    const email = typeof value === 'string' ? parseEmail(value) : undefined;
    if (email !== undefined) return email;
  }
  return undefined;
}

/** An id of somebody else's making: text or a whole number. */
function plain(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && text.trim() !== '' && text.length <= 160 ? text.trim() : undefined;
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value.trim() !== '')?.trim();
}

function objectOf(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

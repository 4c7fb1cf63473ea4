import type { BusinessNumber } from './numbers.ts';

/** One thing to tell the webhook: a message, a status, or a change of another field. */
export interface Update {
  readonly kind: 'messages' | 'statuses' | 'field';
  readonly number: BusinessNumber;
  /** The message or the status as JSON; for `field` the whole change. */
  readonly json: string;
  /** Its person's `contacts[]` entry, and what tells people apart. */
  readonly contact?: { readonly key: string; readonly json: string };
  /** JSON of an entry for the `errors[]` of the value, beside messages. */
  readonly errorJson?: string;
}

/**
 * Puts updates into one webhook body: one entry per account, one change per number and kind.
 *
 * @param includeTime whether `entry.time` is set, which the provider does only sometimes.
 */
export function renderEnvelope(updates: readonly Update[], timeSeconds?: number): string {
  const accounts = new Map<string, Map<string, Update[]>>();
  let fieldCount = 0;
  for (const update of updates) {
    const { businessAccountId, id } = update.number;
    let changes = accounts.get(businessAccountId);
    if (!changes) {
      changes = new Map();
      accounts.set(businessAccountId, changes);
    }
    if (update.kind === 'field') fieldCount += 1;
    const key = update.kind === 'field' ? `field/${fieldCount}` : `${id}/${update.kind}`;
    const group = changes.get(key);
    if (group) group.push(update);
    else changes.set(key, [update]);
  }
  const time = timeSeconds === undefined ? '' : `,"time":${timeSeconds}`;
  const entries: string[] = [];
  for (const [account, changes] of accounts) {
    const rendered = [...changes.values()].map(renderChange).join(',');
    entries.push(`{"id":${JSON.stringify(account)}${time},"changes":[${rendered}]}`);
  }
  return `{"object":"whatsapp_business_account","entry":[${entries.join(',')}]}`;
}

function renderChange(group: readonly Update[]): string {
  const [first] = group as readonly [Update, ...Update[]];
  if (first.kind === 'field') return first.json;
  const contacts = new Map<string, string>();
  let items = '';
  let errors = '';
  for (const { json, contact, errorJson } of group) {
    items += items === '' ? json : `,${json}`;
    if (errorJson !== undefined) errors += errors === '' ? errorJson : `,${errorJson}`;
    if (contact) contacts.set(contact.key, contact.json);
  }
  const contactsPart = contacts.size === 0 ? '' : `"contacts":[${[...contacts.values()].join(',')}],`;
  const errorsPart = errors === '' ? '' : `,"errors":[${errors}]`;
  const metadata = first.number.metadataJson;
  return `{"field":"messages","value":{"messaging_product":"whatsapp","metadata":${metadata},${contactsPart}"${first.kind}":[${items}]${errorsPart}}}`;
}

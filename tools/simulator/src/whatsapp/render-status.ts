import type { AcceptedMessage } from './accepted-log.ts';
import { titleOf } from './graph-error.ts';
import type { Person } from './people.ts';

/** The statuses that this simulator reports. */
export type StatusName = 'sent' | 'delivered' | 'read' | 'failed';

/** What a status is made from. */
export interface StatusFacts {
  readonly message: AcceptedMessage;
  readonly person: Person;
  readonly status: StatusName;
  /** The pricing category. */
  readonly category: string;
  readonly failCode: number | undefined;
  /** Adds `conversation`, which webhooks before v24.0 have. */
  readonly includeConversation: boolean;
}

const pricingTypes: Record<string, string> = { service: 'free_customer_service' };

/** JSON of one entry of `statuses[]`, written by hand because every send needs three. */
export function renderStatus(facts: StatusFacts): string {
  const { message, person, status, category, failCode } = facts;
  const now = Math.floor(Date.now() / 1000);
  let json = `{"id":"${message.wamid}","status":"${status}","timestamp":"${now}"`;
  if (message.to !== undefined) json += `,"recipient_id":"${message.to}"`;
  // A failure reveals no user id where the sender knew only the phone.
  if (status !== 'failed' || message.to === undefined) json += `,"recipient_user_id":"${person.userId}"`;
  if (message.opaque !== undefined) json += `,"biz_opaque_callback_data":${JSON.stringify(message.opaque)}`;
  if (status === 'failed') return `${json},"errors":[${statusErrorJson(failCode ?? 131026)}]}`;
  if (facts.includeConversation) {
    const expiry = status === 'sent' ? `,"expiration_timestamp":"${now + 86_400}"` : '';
    json += `,"conversation":{"id":"${person.userId.slice(3)}"${expiry},"origin":{"type":"${category}"}}`;
  }
  // Pricing is told once, with the first status that has it.
  if (status === 'sent') {
    const type = pricingTypes[category] ?? 'regular';
    const isBillable = type === 'regular';
    json += `,"pricing":{"billable":${isBillable},"pricing_model":"PMP","type":"${type}","category":"${category}"}`;
  }
  return `${json}}`;
}

function statusErrorJson(code: number): string {
  const title = titleOf(code);
  return JSON.stringify({
    code,
    title,
    message: title,
    error_data: { details: detailsOf(code) },
    href: 'https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/',
  });
}

const details: Record<number, string> = {
  131026: 'Message Undeliverable.',
  131047:
    'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
  131056:
    'Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.',
};

/** What `error_data.details` says for a code, in error bodies and statuses alike. */
export function detailsOf(code: number): string {
  return details[code] ?? titleOf(code);
}

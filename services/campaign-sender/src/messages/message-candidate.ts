import type { JobPayload } from '@switchyard/jobs';
import { createBatcher } from '../database/create-batcher.ts';
import { padKeys } from '../database/pad-keys.ts';
import type { Executor } from '../database/scope.ts';
import type { Lane } from '../pacing/lanes.ts';
import type { MessageState } from './message-state.ts';
import type { MessageToRecord } from './record-messages.ts';

/** Who asked for a message. */
export type Origin = NonNullable<JobPayload<'messages', 'send-message'>['origin']>;

/** An outgoing message with what decides whether it may go. */
export interface Candidate {
  id: string;
  merchantId: string;
  contactId: string | null;
  senderId: string | null;
  addressKind: string;
  address: string;
  type: string;
  content: Record<string, unknown>;
  state: MessageState;
  priority: number;
  lane: Lane;
  origin: Origin | null;
  replyTo: string | null;
  onUnknown: 'resend' | 'fail';
  attempts: number;
  failures: number;
  expiresAtMs: number | null;
  nextAttemptAtMs: number | null;
  /** The template to send instead when the window is closed. */
  templateFallback: Record<string, unknown> | null;
  optedOut: boolean;
  marketingOptedOut: boolean;
  /** The person's phone number, for what can't go to a user id. */
  contactPhone: string | null;
  /** End of the 24-hour window; 0 when the person never wrote to this number. */
  windowExpiresAtMs: number;
  /** What to record, where no row of it exists yet: its first row is its intent, or tells why it waits or is not called for. */
  unrecorded?: MessageToRecord;
}

/** Loads messages for delivery, in one statement. Those that do not exist, or came in, are left out. */
export async function loadCandidates(
  executor: Executor,
  ids: readonly string[],
): Promise<Map<string, Candidate>> {
  const rows = await executor
    .selectFrom('messages as m')
    .leftJoin('contacts as c', 'c.id', 'm.contactId')
    .leftJoin('conversations as v', (join) =>
      join.onRef('v.contactId', '=', 'm.contactId').onRef('v.senderId', '=', 'm.senderId'),
    )
    .select([
      'm.id',
      'm.merchantId',
      'm.contactId',
      'm.senderId',
      'm.addressKind',
      'm.address',
      'm.type',
      'm.content',
      'm.state',
      'm.priority',
      'm.lane',
      'm.origin',
      'm.replyTo',
      'm.onUnknown',
      'm.attempts',
      'm.failures',
      'm.expiresAtMs',
      'm.nextAttemptAtMs',
      'm.templateFallback',
      'c.optedOut',
      'c.marketingOptedOut',
      'c.phone as contactPhone',
      'v.windowExpiresAtMs',
    ])
    .where('m.id', 'in', padKeys(ids))
    .where('m.direction', '=', 'out')
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      {
        ...row,
        lane: row.lane as Lane,
        content: JSON.parse(row.content) as Record<string, unknown>,
        origin: row.origin === null ? null : (JSON.parse(row.origin) as Origin),
        templateFallback:
          row.templateFallback === null
            ? null
            : (JSON.parse(row.templateFallback) as Record<string, unknown>),
        optedOut: row.optedOut === 1,
        marketingOptedOut: row.marketingOptedOut === 1,
        windowExpiresAtMs: row.windowExpiresAtMs ?? 0,
      },
    ]),
  );
}

const LOADED_AT_ONCE = 200;
/** Jobs come one by one; a few milliseconds make a batch of them. */
const LOADED_EVERY_MS = 3;

/** Makes a loader of single messages; those that are asked for at the same time share a statement. */
export function createCandidateLoader(db: Executor): (id: string) => Promise<Candidate | undefined> {
  const batch = createBatcher<string, Candidate | undefined>({
    maxItems: LOADED_AT_ONCE,
    betweenMs: LOADED_EVERY_MS,
    async run(ids) {
      const found = await loadCandidates(db, ids);
      return ids.map((id) => found.get(id));
    },
  });
  return (id) => batch.submit(id);
}

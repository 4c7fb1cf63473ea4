import { createId } from '@switchyard/runtime';
import type { Scope } from '../database/scope.ts';
import { publishEvents } from '../messages/merchant-events.ts';

/** Codes of a number that was paused for its token: a new one ends the pause. */
export const tokenPauseCodes: readonly string[] = ['0', '190'];

/** Why numbers stop. */
export interface PauseCause {
  code: string;
  reason: string;
}

/**
 * Stops numbers until a probe, a webhook or a person resumes them; tells the operators and the merchant once.
 *
 * @param which one number, or every number of an account.
 */
export async function pauseSenders(
  scope: Scope,
  merchantId: string,
  which: { id: string } | { wabaId: string },
  cause: PauseCause,
  nowMs: number,
): Promise<void> {
  const { trx } = scope;
  const { code, reason } = cause;
  const probeAfterMs = firstProbeMs(code);
  let query = trx
    .selectFrom('senders')
    .select('id')
    .where('merchantId', '=', merchantId)
    .where('state', '=', 'active');
  query = 'id' in which ? query.where('id', '=', which.id) : query.where('wabaId', '=', which.wabaId);
  const ids = (await query.execute()).map(({ id }) => id);
  if (ids.length === 0) return;
  const { numUpdatedRows } = await trx
    .updateTable('senders')
    .set({
      ...{ state: 'paused', pauseCode: code, pauseReason: reason, pausedAtMs: nowMs, updatedAtMs: nowMs },
      ...{ probeAtMs: probeAfterMs === null ? null : nowMs + probeAfterMs, probes: 0 },
    })
    .where('id', 'in', ids)
    .where('state', '=', 'active')
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return;
  const subject = 'id' in which ? `number ${which.id}` : `account ${which.wabaId}`;
  const body = `${reason} (${code}). Its messages wait until it is resumed.`;
  tellOperators(scope, merchantId, `paused-${'id' in which ? which.id : which.wabaId}`, nowMs, {
    ...{ severity: 'critical', title: `Sending has stopped for ${subject}`, body },
  });
  tellMerchant(scope, merchantId, ids, 'sender.paused', cause, nowMs);
}

/** Lets a paused number send again; its messages are due at once, and whoever was told of the pause is told of its end. */
export async function resumeSender(
  scope: Scope,
  merchantId: string,
  id: string,
  by: string,
  nowMs: number,
): Promise<boolean> {
  const { trx } = scope;
  const { numUpdatedRows } = await trx
    .updateTable('senders')
    .set({
      ...{ state: 'active', pauseCode: null, pauseReason: null, pausedAtMs: null, updatedAtMs: nowMs },
      ...{ probeAtMs: null, probes: null },
    })
    .where('id', '=', id)
    .where('merchantId', '=', merchantId)
    .where('state', '=', 'paused')
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) return false;
  await trx
    .updateTable('messages')
    .set({ nextAttemptAtMs: nowMs })
    .where('senderId', '=', id)
    .where('state', '=', 'queued')
    .where('nextAttemptAtMs', '>', nowMs)
    .execute();
  tellOperators(scope, merchantId, `resumed-${id}`, nowMs, {
    ...{ severity: 'info', title: `Number ${id} sends again`, body: `Resumed by ${by}.` },
  });
  tellMerchant(scope, merchantId, [id], 'sender.resumed', { code: by, reason: `resumed by ${by}` }, nowMs);
  return true;
}

/** Lets numbers send again that were paused for one of these codes. @returns how many. */
export async function resumeSenders(
  scope: Scope,
  merchantId: string,
  which: { id: string } | { wabaId: string },
  codes: readonly string[],
  nowMs: number,
): Promise<number> {
  let query = scope.trx
    .selectFrom('senders')
    .select('id')
    .where('merchantId', '=', merchantId)
    .where('state', '=', 'paused')
    .where('pauseCode', 'in', codes);
  query = 'id' in which ? query.where('id', '=', which.id) : query.where('wabaId', '=', which.wabaId);
  const rows = await query.execute();
  for (const { id } of rows) await resumeSender(scope, merchantId, id, 'what the provider said', nowMs);
  return rows.length;
}

const MINUTE_MS = 60_000;

/** When a paused number is first asked about: soon where a token or a right is missing, later where a policy is; never for a person. */
function firstProbeMs(code: string): number | null {
  if (code === 'person') return null;
  const isRight = /^([0-9]|10|33|190|2[0-9]{2}|131005|131045|133010)$/.test(code);
  return isRight ? 5 * MINUTE_MS : 60 * MINUTE_MS;
}

function tellOperators(
  { enqueue }: Scope,
  merchantId: string,
  key: string,
  nowMs: number,
  said: { severity: 'info' | 'critical'; title: string; body: string },
): void {
  enqueue({
    queue: 'notifications',
    name: 'send-notification',
    payload: {
      merchantId,
      notificationId: createId('ntf', nowMs),
      key: `sender-${key}`,
      ...said,
      occurredAtMs: nowMs,
    },
    meta: { merchantId },
  });
}

function tellMerchant(
  { enqueue }: Scope,
  merchantId: string,
  ids: readonly string[],
  type: 'sender.paused' | 'sender.resumed',
  { code, reason }: PauseCause,
  nowMs: number,
): void {
  publishEvents(
    enqueue,
    merchantId,
    ids.map((senderId) => ({
      id: createId('evt', nowMs),
      type,
      occurredAtMs: nowMs,
      data: { senderId, code, reason },
    })),
  );
}

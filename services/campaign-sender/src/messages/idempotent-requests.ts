import { createHash } from 'node:crypto';
import { insertIgnore } from '@switchyard/database';
import type { Executor, Store } from '../database/scope.ts';
import { idempotencyKeyReused } from '../errors.ts';

/** A request that its caller may make again. */
export interface KeyedRequest {
  merchantId: string;
  key: string;
  /** Digest of the body. */
  requestHash: string;
}

/** For so long a repeat gets the first answer, word for word. */
export const ANSWERS_KEPT_MS = 7 * 24 * 3_600_000;

/** A digest of some parts. */
export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** Digest of a JSON value: the order of keys does not count. */
export function digestOf(value: unknown): string {
  return digest(JSON.stringify(sorted(value)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, below]) => [key, sorted(below)]),
  );
}

/**
 * The answer that a request has got before.
 *
 * @throws IDEMPOTENCY_KEY_REUSED when its key came with another body.
 */
export async function findAnswer(executor: Executor, request: KeyedRequest): Promise<unknown> {
  const row = await executor
    .selectFrom('idempotent_requests')
    .select(['requestHash', 'answer'])
    .where('id', '=', idOf(request))
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.requestHash !== request.requestHash)
    throw idempotencyKeyReused('this Idempotency-Key came with another request before');
  return JSON.parse(row.answer) as unknown;
}

/**
 * Keeps the answer to a request with the transaction that makes it true. The first statement of its transaction: of two at the same
 * time the second waits for the first here.
 *
 * @returns false when it has been answered already.
 */
export async function keepAnswer(
  trx: Executor,
  { dialect }: Pick<Store, 'dialect'>,
  request: KeyedRequest,
  answer: unknown,
  nowMs: number,
): Promise<boolean> {
  const { merchantId, requestHash } = request;
  const row = {
    id: idOf(request),
    merchantId,
    requestHash,
    answer: JSON.stringify(answer),
    createdAtMs: nowMs,
  };
  return (await insertIgnore(trx, dialect, 'idempotent_requests', [row], ['id'])) > 0;
}

/** Forgets answers that were kept long enough. */
export async function purgeAnswers(db: Executor, nowMs: number): Promise<void> {
  await db
    .deleteFrom('idempotent_requests')
    .where('createdAtMs', '<', nowMs - ANSWERS_KEPT_MS)
    .execute();
}

function idOf({ merchantId, key }: KeyedRequest): string {
  return `idk_${digest(merchantId, key).slice(0, 40)}`;
}

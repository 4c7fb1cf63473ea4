import { isReceiptState, type ReceiptState } from '../messages/message-state.ts';
import { type AttemptKey, parseCallbackData } from '../sending/callback-data.ts';

/** One status of the provider, as far as we act on it. */
export interface Receipt {
  providerMessageId: string;
  state: ReceiptState;
  occurredAtMs: number;
  /** Which call it belongs to, when the provider gave our id back. */
  key: AttemptKey | undefined;
  code: number | undefined;
  detail: string | undefined;
}

/**
 * Reads `statuses[]` of a webhook. What is unknown (a status of tomorrow, one without an id) is left out, since the rest must not wait.
 *
 * @param fallbackMs the time of a status that has none.
 */
export function readStatuses(statuses: readonly Record<string, unknown>[], fallbackMs: number): Receipt[] {
  const receipts: Receipt[] = [];
  for (const status of statuses) {
    const { id, status: word } = status;
    if (typeof id !== 'string' || typeof word !== 'string' || !isReceiptState(word)) continue;
    const error = Array.isArray(status.errors) ? (status.errors[0] as LooseError | undefined) : undefined;
    const detail = error?.error_data?.details ?? error?.message ?? error?.title;
    receipts.push({
      providerMessageId: id,
      state: word,
      occurredAtMs: readSeconds(status.timestamp) ?? fallbackMs,
      key: parseCallbackData(status.biz_opaque_callback_data),
      code: typeof error?.code === 'number' ? error.code : undefined,
      detail: typeof detail === 'string' ? detail.slice(0, 500) : undefined,
    });
  }
  return receipts;
}

interface LooseError {
  code?: unknown;
  title?: unknown;
  message?: unknown;
  error_data?: { details?: unknown };
}

/** Timestamps are seconds, as text here and as numbers elsewhere. */
function readSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0
    ? seconds * 1000
    : undefined;
}

/** The code of a failure as messages keep it; null for a receipt that is none. */
export function failureCode(receipt: Receipt | undefined): string | null {
  if (receipt?.state !== 'failed') return null;
  return receipt.code === undefined ? 'UNSTATED' : String(receipt.code);
}

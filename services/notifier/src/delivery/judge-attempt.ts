import type { AttemptResult } from './create-webhook-client.ts';

/** What follows from an attempt. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** 410: the receiver is gone for good (Standard Webhooks). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number | undefined };

/** Only 2xx is a delivery; a redirect is a failure, since following it would sign for somebody else. */
export function judgeAttempt({ status, error, retryAfterMs }: AttemptResult): Verdict {
  if (status === undefined) return { kind: 'failed', reason: error ?? 'no answer', retryAfterMs: undefined };
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  return {
    kind: 'failed',
    reason: `the endpoint answered ${status}`,
    retryAfterMs: status === 429 || status === 503 ? retryAfterMs : undefined,
  };
}

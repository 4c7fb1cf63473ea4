import { randomInt } from 'node:crypto';
import { request } from 'undici';
import type { Settings } from '../settings.ts';

/** How the webhook answered the handshake. */
export interface HandshakeResult {
  /** It answered 200 with the challenge and nothing else. */
  readonly ok: boolean;
  readonly statusCode: number | undefined;
  /** What went wrong; absent when nothing did. */
  readonly problem?: string;
}

/** Does the GET that subscribes a webhook. Never throws. */
export async function verifyWebhook(
  { url, timeoutMs }: Settings['webhooks'],
  verifyToken: string,
): Promise<HandshakeResult> {
  const challenge = String(randomInt(1_000_000_000));
  const target = new URL(url);
  target.searchParams.set('hub.mode', 'subscribe');
  target.searchParams.set('hub.challenge', challenge);
  target.searchParams.set('hub.verify_token', verifyToken);
  try {
    const answer = await request(target, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    const body = await answer.body.text();
    const { statusCode } = answer;
    if (statusCode !== 200) return { ok: false, statusCode, problem: `answered ${statusCode}` };
    if (body !== challenge) return { ok: false, statusCode, problem: 'did not echo the challenge' };
    return { ok: true, statusCode };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ok: false, statusCode: undefined, problem: code ?? message };
  }
}

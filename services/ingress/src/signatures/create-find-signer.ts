import { intakeBusy } from '../errors.ts';
import type { SigningApp } from '../merchants/create-directory.ts';
import { isSignedWith } from './is-signed-with.ts';

/** Bytes hashed in one go before other requests get their turn. */
const BYTES_PER_TURN = 8 * 1024 * 1024;
/** About a fifth of a processor. */
const OTHERS_BYTES_PER_SECOND = 256 * 1024 * 1024;
const RETRY_AFTER_MS = 2000;

/**
 * Finds the app whose secret signed a body.
 *
 * @param hint id of the app to try first, so that with many apps one HMAC is usually enough. It is a guess and decides nothing.
 * @returns undefined where no app's secret matches; a promise where more than the first app had to be tried.
 * @throws CodedError INTAKE_BUSY when too much was hashed in vain lately.
 */
export type FindSigner = (
  body: Buffer,
  signature: Buffer,
  apps: readonly SigningApp[],
  hint?: string,
) => SigningApp | undefined | Promise<SigningApp | undefined>;

/**
 * Creates the finder.
 *
 * A body whose app is not known is hashed once per secret. With a thousand apps and 3 MB that is seconds of work, for anybody who can
 * reach the webhook. So what is hashed beyond the first app is bounded: who comes when it is used up is told to come again, and
 * webhooks of known numbers and shops never meet the bound.
 */
export function createFindSigner({ othersBytesPerSecond = OTHERS_BYTES_PER_SECOND } = {}): FindSigner {
  /** May go below zero: the debt is paid before the next is let in. */
  let left = othersBytesPerSecond;
  let filledAtMs = performance.now();

  function spend(bytes: number): void {
    const nowMs = performance.now();
    left = Math.min(othersBytesPerSecond, left + ((nowMs - filledAtMs) / 1000) * othersBytesPerSecond);
    filledAtMs = nowMs;
    if (left <= 0)
      throw intakeBusy('too many webhooks whose app is not known; try again', { delayMs: RETRY_AFTER_MS });
    left -= bytes;
  }

  async function tryAll(body: Buffer, signature: Buffer, apps: readonly SigningApp[]) {
    spend(body.length * apps.reduce((sum, { secrets }) => sum + secrets.length, 0));
    let hashedBytes = 0;
    for (const app of apps) {
      if (isSignedWith(body, signature, app.secrets)) return app;
      hashedBytes += body.length * app.secrets.length;
      if (hashedBytes < BYTES_PER_TURN) continue;
      hashedBytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return undefined;
  }

  return (body, signature, apps, hint) => {
    const first = hint === undefined ? apps[0] : apps.find(({ id }) => id === hint);
    if (first && isSignedWith(body, signature, first.secrets)) return first;
    const others = apps.filter((app) => app !== first);
    return others.length === 0 ? undefined : tryAll(body, signature, others);
  };
}

import type { SigningApp } from '../merchants/create-directory.ts';
import { isSignedWith } from './is-signed-with.ts';

/** Bytes hashed in one go before other requests get their turn. */
const BYTES_PER_TURN = 8 * 1024 * 1024;

/**
 * Finds the app whose secret signed a body.
 *
 * @param hint id of the app to try first, so that with many apps one HMAC is usually enough. It is a guess and decides nothing.
 * @returns undefined where no app's secret matches.
 */
export async function findSigner(
  body: Buffer,
  signature: Buffer,
  apps: readonly SigningApp[],
  hint?: string,
): Promise<SigningApp | undefined> {
  const first = hint === undefined ? undefined : apps.find(({ id }) => id === hint);
  if (first && isSignedWith(body, signature, first.secrets)) return first;
  let hashedBytes = 0;
  for (const app of apps) {
    if (app === first) continue;
    if (isSignedWith(body, signature, app.secrets)) return app;
    hashedBytes += body.length * app.secrets.length;
    if (hashedBytes < BYTES_PER_TURN) continue;
    hashedBytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

import type { SigningApp } from '../merchants/create-directory.ts';
import { isSignedWith } from './is-signed-with.ts';

/** Bytes hashed in one go before other requests get their turn. */
const BYTES_PER_TURN = 8 * 1024 * 1024;

/**
 * Finds the app whose secret signed a body.
 *
 * @param hint id of the app to try first, so that with many apps one HMAC is usually enough. It is a guess and decides nothing.
 * @returns undefined where no app's secret matches; a promise where more than the first app had to be tried.
 */
export function findSigner(
  body: Buffer,
  signature: Buffer,
  apps: readonly SigningApp[],
  hint?: string,
): SigningApp | undefined | Promise<SigningApp | undefined> {
  const first = hint === undefined || apps.length === 1 ? apps[0] : apps.find(({ id }) => id === hint);
  if (first && isSignedWith(body, signature, first.secrets)) return first;
  return apps.length > (first ? 1 : 0) ? tryOthers(body, signature, apps, first) : undefined;
}

async function tryOthers(
  body: Buffer,
  signature: Buffer,
  apps: readonly SigningApp[],
  first: SigningApp | undefined,
): Promise<SigningApp | undefined> {
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

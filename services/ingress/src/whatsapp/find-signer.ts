import type { Directory, SigningApp } from '../merchants/create-directory.ts';
import { isSignedWith } from './verify-signature.ts';

const KEY = Buffer.from('"phone_number_id"');
/** Bytes hashed in one go before other requests get their turn. */
const BYTES_PER_TURN = 8 * 1024 * 1024;

/**
 * Finds the app whose secret signed a body.
 *
 * The body is not believed before that: the number in it only says which secret to try first, so that with many apps one HMAC is
 * usually enough.
 *
 * @returns undefined where no app's secret matches.
 */
export async function findSigner(
  body: Buffer,
  signature: Buffer,
  directory: Pick<Directory, 'apps' | 'peekApp'>,
): Promise<SigningApp | undefined> {
  const apps = await directory.apps('whatsapp');
  if (apps.length <= 1) return apps.find(({ secrets }) => isSignedWith(body, signature, secrets));
  const number = peekNumber(body);
  const hinted = number === undefined ? undefined : directory.peekApp('whatsapp', number);
  const first = apps.find(({ id }) => id === hinted);
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

/** The first number the bytes seem to name; a guess, made without parsing. */
function peekNumber(body: Buffer): string | undefined {
  const at = body.indexOf(KEY);
  if (at < 0) return undefined;
  const after = body.toString('latin1', at + KEY.length, at + KEY.length + 80);
  return /^\s*:\s*"?(\d{1,64})/.exec(after)?.[1];
}

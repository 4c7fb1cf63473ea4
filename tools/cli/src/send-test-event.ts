import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from './cli-error.ts';
import { type Api, send } from './create-api.ts';
import type { Ensured } from './ensure-source.ts';

/** A change reaches every replica within about 2 s. */
const TRIES = 6;
const PAUSE_MS = 1000;

/**
 * Sends a signed test event the way the provider will. If ingress does not accept the secret, it becomes the app's current one, with the
 * old one accepted beside it for a day, and the event is sent again.
 *
 * @throws CliError where it is not accepted in the end.
 */
export async function sendTestEvent(
  settings: {
    ingressUrl: string;
    ingress: Api;
    ensured: Ensured;
    secret: string;
    path: string;
    body: string;
    headersOf: (hmac: Buffer) => Record<string, string>;
  },
  print: (line: string) => void,
): Promise<void> {
  const { ingressUrl, ingress, ensured, secret, path, body, headersOf } = settings;
  const hmac = createHmac('sha256', secret).update(body).digest();
  const post = async () => {
    const headers = { 'content-type': 'application/json', ...headersOf(hmac) };
    return (await send(`${ingressUrl.replace(/\/$/, '')}${path}`, { method: 'POST', headers, body })).status;
  };
  let status = await post();
  if (status === 401) {
    if (ensured.isManagedByEnvironment)
      throw new CliError("the secret is not the one of ingress' environment: change it there and restart");
    await ingress.call('POST', `/api/v1/apps/${ensured.appId}/rotate-secret`, { secret });
    print('the secret is new: the old one is accepted for another day');
  }
  for (let tries = 1; status !== 200 && tries < TRIES; tries += 1) {
    await delay(PAUSE_MS);
    status = await post();
  }
  if (status !== 200) throw new CliError(`the test event was answered ${status}`);
  print('a signed test event was accepted');
}

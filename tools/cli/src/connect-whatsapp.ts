import { CliError } from './cli-error.ts';
import { type Api, send } from './create-api.ts';
import { ensureSource } from './ensure-source.ts';
import { sendTestEvent } from './send-test-event.ts';

/** A number and what connecting it takes. */
export interface WhatsappSettings {
  readonly ingress: Api;
  readonly ingressUrl: string;
  /** campaign-sender, which sends from the number. */
  readonly senders: Api;
  readonly number: string;
  readonly account: string;
  readonly appSecret: string;
  readonly accessToken: string;
  readonly verifyToken: string | undefined;
  /** The Cloud API, with its version. */
  readonly graphUrl: string;
  /** Where the provider reaches this installation; without it the app's own setting holds. */
  readonly webhookUrl: string | undefined;
}

/** Connects a number: source and secrets, sender, subscription at the provider, a first test event. Safe to run again. */
export async function connectWhatsapp(
  settings: WhatsappSettings,
  print: (line: string) => void,
): Promise<void> {
  const { ingress, ingressUrl, senders, number, account, appSecret: secret, verifyToken } = settings;
  const ensured = await ensureSource(
    ingress,
    { kind: 'whatsapp', sourceKey: number, accountKey: account, secret, verifyToken },
    print,
  );
  await ensureSender(senders, settings, print);
  // Before the provider is asked: it calls the webhook at once, and the secret must be known by then.
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: account,
        time: Math.floor(Date.now() / 1000),
        changes: [{ field: 'switchyard_test', value: { metadata: { phone_number_id: number } } }],
      },
    ],
  });
  const headersOf = (hmac: Buffer) => ({ 'x-hub-signature-256': `sha256=${hmac.toString('hex')}` });
  await sendTestEvent(
    { ingressUrl, ingress, ensured, secret, path: '/webhooks/whatsapp', body, headersOf },
    print,
  );
  await subscribe(settings, print);
}

async function ensureSender(
  senders: Api,
  { number, account, accessToken }: WhatsappSettings,
  print: (line: string) => void,
): Promise<void> {
  const { items } = await senders.call<{ items: { id: string; phoneNumberId: string }[] }>(
    'GET',
    '/api/v1/senders',
  );
  const known = items.find(({ phoneNumberId }) => phoneNumberId === number);
  if (known) await senders.call('PATCH', `/api/v1/senders/${known.id}`, { accessToken });
  else await senders.call('POST', '/api/v1/senders', { phoneNumberId: number, wabaId: account, accessToken });
  print(known ? 'the sender has the token' : 'added the sender');
}

/** Subscribes the app to the account's webhooks. The provider takes it twice without complaint. */
async function subscribe(settings: WhatsappSettings, print: (line: string) => void): Promise<void> {
  const { graphUrl, account, accessToken, webhookUrl, verifyToken } = settings;
  const url = `${graphUrl.replace(/\/$/, '')}/${account}/subscribed_apps`;
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
  const override = webhookUrl !== undefined && {
    override_callback_uri: webhookUrl,
    verify_token: verifyToken,
  };
  const answer = await send(url, { method: 'POST', headers, body: JSON.stringify(override || {}) });
  if (!answer.ok) throw new CliError(`the provider refuses the subscription: ${await problemOf(answer)}`);
  const listed = await send(url, { headers });
  const { data = [] } = (await listed.json()) as { data?: unknown[] };
  if (data.length === 0) throw new CliError('the provider took the subscription but does not list it');
  print("subscribed to the account's webhooks");
}

/** What the Graph API says; its answers hold no secret. */
async function problemOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return String(answer.status);
  }
}

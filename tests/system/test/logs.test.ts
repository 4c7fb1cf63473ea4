import { createSqliteDatabase, signMeta, until } from '@switchyard/test-kit';
import t from 'tap';
import { converse } from './system/converse.ts';
import { startEventReceiver } from './system/receive-events.ts';
import { type System, startSystem } from './system/start-system.ts';
import { subscribe } from './system/subscribe.ts';

interface Line extends Record<string, unknown> {
  service: string;
  msg: string;
}

t.test('the logs of a whole run', async (t) => {
  const system = await startSystem(t, {
    database: await createSqliteDatabase(t),
    env: { LOG_LEVEL: 'trace' },
    // The provider has not heard from whoever this test's own webhook is about.
    simulator: { window: { mode: 'off' } },
  });
  const { simulator, secrets } = system;
  const receiver = await startEventReceiver(t);
  const secret = await subscribe(system, receiver);
  const { token } = await exchangeKey(system);

  const phones = ['15558887701', '15558887702'];
  await Promise.all(phones.map((phone) => converse(simulator, phone)));
  // Failures are logged too, and at more length: a number that is refused, a call that is cut.
  const refused = '15558887703';
  simulator.addFault({ kind: 'error', code: 131026, to: refused });
  simulator.inject({ from: refused, name: 'Ada', text: 'hello' });
  const cut = '15558887704';
  simulator.addFault({ kind: 'cut-after', to: cut, count: 1 });
  await converse(simulator, cut);
  const traced = '15558887705';
  await postWebhook(system, traced);
  await until(() => [...receiver.events.values()].some(({ type }) => type === 'message.failed'), {
    what: 'the failed message was told of',
  });
  await Promise.all(system.instances.map((instance) => instance.end('SIGTERM')));
  const output = system.instances.map((instance) => instance.output).join('');
  const lines = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
  t.ok(lines.length > 100, `there is something to look at (${lines.length} lines)`);

  t.test('hold no secret, no token and no full phone number', async (t) => {
    const hidden: Record<string, string> = { ...secrets, 'a token': token, "the endpoint's secret": secret };
    for (const phone of [...phones, refused, cut, traced]) hidden[phone] = phone;
    for (const [name, value] of Object.entries(hidden)) {
      if (name === 'TOKEN_PUBLIC_KEY') continue;
      // A key of several lines is logged with \n, if at all: its middle is enough.
      const telling = value.includes('\n') ? (value.split('\n')[1] ?? value) : value.replace(/^k1:/, '');
      const found = output.split('\n').find((line) => line.includes(telling));
      t.equal(found, undefined, name);
    }
  });

  t.test('tell one webhook’s way through the services by one id', async (t) => {
    const way = lines
      .filter(({ correlationId }) => correlationId === 'one-webhook')
      .map(({ service, job }) => ({ service, job }));
    for (const hop of [
      { service: 'campaign-sender', jobs: ['receive-message'] },
      { service: 'flow-engine', jobs: ['handle-event'] },
      // Alone, or with what was asked for at the same time.
      { service: 'campaign-sender', jobs: ['send-message', 'send-messages'] },
      { service: 'notifier', jobs: ['publish-events'] },
    ])
      t.ok(
        way.some(({ service, job }) => service === hop.service && hop.jobs.includes(String(job))),
        `${hop.service} ${hop.jobs[0]}`,
        { way },
      );
  });
});

/** Posts a message as the provider does, under an id of the caller's own. */
async function postWebhook({ replicasOf, secrets, simulator }: System, phone: string): Promise<void> {
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: simulator.credentials.businessAccountId,
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: {
                display_phone_number: '15550000001',
                phone_number_id: simulator.credentials.phoneNumberId,
              },
              contacts: [{ profile: { name: 'Ada' }, wa_id: phone }],
              messages: [
                {
                  from: phone,
                  id: `wamid.${phone}`,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: 'text',
                  text: { body: 'hello' },
                },
              ],
            },
          },
        ],
      },
    ],
  });
  const response = await fetch(`${replicasOf('ingress')[0]?.url}/webhooks/whatsapp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': signMeta(body, secrets.WHATSAPP_APP_SECRET),
      'x-correlation-id': 'one-webhook',
    },
    body,
  });
  if (!response.ok) throw new Error(`ingress answered ${response.status}: ${await response.text()}`);
  await simulator.waitForAccepted(({ to }) => to === phone);
}

async function exchangeKey({ replicasOf, secrets }: System): Promise<{ token: string }> {
  const response = await fetch(`${replicasOf('ingress')[0]?.url}/api/v1/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiKey: secrets.SWITCHYARD_API_KEY }),
  });
  const { data } = (await response.json()) as { data: { token: string } };
  return data;
}

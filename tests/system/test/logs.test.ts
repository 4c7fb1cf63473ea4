import { createSqliteDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { converse } from './system/converse.ts';
import { startEventReceiver } from './system/receive-events.ts';
import { type System, startSystem } from './system/start-system.ts';

interface Line extends Record<string, unknown> {
  service: string;
  msg: string;
}

t.test('the logs of a whole run', async (t) => {
  const system = await startSystem(t, {
    database: await createSqliteDatabase(t),
    env: { LOG_LEVEL: 'trace' },
  });
  const { simulator, secrets } = system;
  const receiver = await startEventReceiver(t);
  const { secret } = await system.api<{ secret: string }>('notifier', '/api/v1/endpoints', {
    url: receiver.url,
  });
  receiver.secret = secret;
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
    for (const phone of [...phones, refused, cut]) hidden[phone] = phone;
    for (const [name, value] of Object.entries(hidden)) {
      if (name === 'TOKEN_PUBLIC_KEY') continue;
      // A key of several lines is logged with \n, if at all: its middle is enough.
      const telling = value.includes('\n') ? (value.split('\n')[1] ?? value) : value.replace(/^k1:/, '');
      const found = output.split('\n').find((line) => line.includes(telling));
      t.equal(found, undefined, name);
    }
  });

  t.test('say of every job what became of it, under the id of the webhook that it came by', async (t) => {
    const answered = lines.filter(
      ({ service, route }) => service === 'ingress' && route === '/webhooks/whatsapp',
    );
    const ids = new Set(answered.map(({ correlationId }) => correlationId));
    t.ok(ids.size > 0, 'webhooks have ids of their own');
    const jobs = lines.filter(
      ({ service, job }) => service === 'campaign-sender' && job === 'receive-message',
    );
    t.ok(jobs.length >= 7, `a line for every message that came in (${jobs.length})`);
    t.same(
      jobs.filter(({ correlationId }) => !ids.has(correlationId)),
      [],
    );
  });
});

async function exchangeKey({ replicasOf, secrets }: System): Promise<{ token: string }> {
  const response = await fetch(`${replicasOf('ingress')[0]?.url}/api/v1/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiKey: secrets.SWITCHYARD_API_KEY }),
  });
  const { data } = (await response.json()) as { data: { token: string } };
  return data;
}

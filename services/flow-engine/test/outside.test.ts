import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eachDatabase, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { startProviders } from './calls/helper.ts';
import { message, phoneOf, sentTexts, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };

/** A server of the merchant's, and one inside that nobody may reach. */
async function startServers(t: Test) {
  const keys: unknown[] = [];
  let reached = 0;
  const server = createServer((request, response) => {
    if (request.url === '/inside') return void response.writeHead(302, { location: inside }).end();
    if (request.url === '/large') {
      const chunk = Buffer.alloc(65_536, 'x');
      let left = 800;
      const push = () => {
        while (left-- > 0 && !response.destroyed)
          if (!response.write(chunk)) return void response.once('drain', push);
        response.end();
      };
      return push();
    }
    if (request.url === '/hang') return;
    keys.push(request.headers['idempotency-key']);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"ticket": {"id": 820982911946154508}}');
  });
  const secret = createServer((_request, response) => {
    reached += 1;
    response.end('secret');
  });
  for (const each of [server, secret]) {
    each.listen(0, '127.0.0.1');
    await once(each, 'listening');
    t.teardown(() => {
      each.closeAllConnections();
      each.close();
    });
  }
  const inside = `http://127.0.0.1:${(secret.address() as AddressInfo).port}/`;
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, inside, keys, reached: () => reached };
}

eachDatabase(
  t,
  'a run looks into the shop, has a model reply, tells a server and asks for an email, and replays the same',
  async (t, database) => {
    const { simulator, env } = await startProviders(t);
    const { host, url, keys } = await startServers(t);
    simulator.shopify.data.addOrder({ email: 'ada@example.com', fulfillmentStatus: 'FULFILLED' });
    const engine = await startEngine(t, database, { env: { ...env, FLOW_HTTP_ALLOWED_HOSTS: host } });
    await engine.publish({
      name: 'Order status',
      triggers: [{ kind: 'keyword', words: ['order'], match: 'starts-with' }],
      start: 'look',
      nodes: {
        look: {
          ...{
            kind: 'shopify-lookup',
            resource: 'order',
            by: 'name',
            value: '{{ event.text | remove: "order " }}',
          },
          ...{ saveAs: 'order', onNotFound: 'none', onError: 'none', next: 'tell' },
        },
        none: { kind: 'send', text: 'There is no such order.', next: 'end' },
        tell: {
          kind: 'send',
          text: '{{ variables.order.name }} is {{ variables.order.fulfillmentStatus | downcase }}.',
          next: 'reply',
        },
        reply: { kind: 'ai-reply', instructions: 'Be kind.', fallbackText: 'Sorry.', next: 'ticket' },
        ticket: {
          ...{
            kind: 'http-request',
            method: 'POST',
            url: `${url}/tickets`,
            json: { order: '{{ variables.order.legacyId }}' },
          },
          ...{ map: { ticket: 'ticket.id' }, onError: 'none', next: 'mail' },
        },
        mail: {
          ...{ kind: 'send-email', to: 'team@shop.example', subject: 'Ticket {{ variables.ticket }}' },
          ...{ text: 'For {{ variables.order.name }}', next: 'end' },
        },
        end,
      },
    });
    await engine.tell(message('con_1', 1, 'order 1001'));
    await engine.tell(message('con_2', 1, 'order 9999'));
    const mails = engine.runtime.producer.queue('emails');
    const job = await until(async () => (await mails.getJobs(['wait', 'prioritized']))[0], {
      what: 'the email to be asked for',
      timeoutMs: 30_000,
    });
    t.match(job.data.payload, {
      to: ['team@shop.example'],
      subject: 'Ticket 820982911946154508',
      text: 'For #1001',
    });
    const runs = await until(
      async () => {
        const { data } = await engine.call('GET', '/api/v1/runs');
        const all = data as { id: string; status: string; contactId: string }[];
        return all.length === 2 && all.every(({ status }) => status === 'finished') ? all : undefined;
      },
      { what: 'both runs to finish', timeoutMs: 30_000 },
    );
    await settled(engine);
    const sent = await sentTexts(engine);
    t.strictSame(sent.get(phoneOf('con_2')), ['There is no such order.']);
    t.equal(sent.get(phoneOf('con_1'))?.[0], '#1001 is fulfilled.');
    const run = runs.find(({ contactId }) => contactId === 'con_1');
    t.match(keys, [new RegExp(`^${run!.id}_\\d+$`)]);
    for (const { id } of runs)
      t.match((await engine.call('POST', `/api/v1/runs/${id}/replay`)).data, { identical: true });
  },
);

eachDatabase(
  t,
  'whatever goes wrong outside ends in the run that asked, and disturbs nobody else',
  async (t, database) => {
    const { simulator, env } = await startProviders(t);
    const { host, url, inside, reached } = await startServers(t);
    const engine = await startEngine(t, database, {
      env: {
        ...{ ...env, FLOW_HTTP_ALLOWED_HOSTS: host, FLOW_HTTP_TIMEOUT_MS: '500', AI_TIMEOUT_MS: '500' },
        ...{ QUEUE_FLOWS_BACKOFF_DELAY: '10', QUEUE_AI_BACKOFF_DELAY: '10' },
      },
    });
    const addresses: Record<string, [address: string, code: string]> = {
      loopback: [inside, 'ADDRESS_REFUSED'],
      name: [inside.replace('127.0.0.1', 'localhost'), 'ADDRESS_REFUSED'],
      mapped: [inside.replace('127.0.0.1', '[::ffff:127.0.0.1]'), 'ADDRESS_REFUSED'],
      octal: [inside.replace('127.0.0.1', '0177.0.0.1'), 'ADDRESS_REFUSED'],
      short: [inside.replace('127.0.0.1', '127.1'), 'ADDRESS_REFUSED'],
      hex: [inside.replace('127.0.0.1', '0x7f000001'), 'ADDRESS_REFUSED'],
      wide: [inside.replace('127.0.0.1', '①②⑦.⓪.⓪.①'), 'ADDRESS_REFUSED'],
      six: [inside.replace('127.0.0.1', '[::1]'), 'ADDRESS_REFUSED'],
      translated: [inside.replace('127.0.0.1', '[64:ff9b::7f00:1]'), 'ADDRESS_REFUSED'],
      link: ['http://[fe80::1]/', 'ADDRESS_REFUSED'],
      local: ['http://[fd00:ec2::254]/latest/meta-data/', 'ADDRESS_REFUSED'],
      private: ['http://10.0.0.1/', 'ADDRESS_REFUSED'],
      user: ['http://shop.example@127.0.0.1/', 'ADDRESS_REFUSED'],
      file: ['{{ "file" }}:///etc/passwd', 'ADDRESS_REFUSED'],
      decimal: [inside.replace('127.0.0.1', '2130706433'), 'ADDRESS_REFUSED'],
      metadata: ['http://169.254.169.254/latest/meta-data/', 'ADDRESS_REFUSED'],
      redirect: [`${url}/inside`, 'ADDRESS_REFUSED'],
      large: [`${url}/large`, 'RESPONSE_TOO_LARGE'],
      hang: [`${url}/hang`, 'TIMED_OUT'],
    };
    // What needs no outside to be bad: templates that would not end, and a loop that goes on for ever.
    const hostile: Record<string, [nodes: object, code: string]> = {
      liquid: [
        {
          a: {
            kind: 'set-variable',
            name: 'x',
            value: '{% for a in (1..50000) %}{% for b in (1..50000) %}x{% endfor %}{% endfor %}',
            next: 'end',
          },
        },
        'NODE_FAILED',
      ],
      endless: [
        {
          a: { kind: 'loop', times: 100, body: 'b', next: 'end' },
          b: { kind: 'loop', times: 100, body: 'c', next: 'a' },
          c: { kind: 'set-variable', name: 'x', value: '{{ variables.x }}x', next: 'b' },
        },
        'TOO_MANY_STEPS',
      ],
    };
    for (const [word, [nodes]] of Object.entries(hostile))
      await engine.publish({
        name: word,
        triggers: [{ kind: 'keyword', words: [word] }],
        start: 'a',
        nodes: { ...nodes, end },
      });
    for (const [word, [address]] of Object.entries(addresses))
      await engine.publish({
        name: word,
        triggers: [{ kind: 'keyword', words: [word] }],
        start: 'ask',
        nodes: { ask: { kind: 'http-request', url: address, next: 'end' }, end },
      });
    await engine.publish({
      name: 'ai',
      triggers: [{ kind: 'keyword', words: ['ai'] }],
      start: 'reply',
      nodes: {
        reply: { kind: 'ai-reply', onError: 'sorry', next: 'end' },
        sorry: { kind: 'send', text: 'Sorry: {{ error.code }}', next: 'end' },
        end,
      },
    });
    simulator.ai.faults.add({ kind: 'hang', count: 2 });
    simulator.ai.faults.add({ kind: 'babble' });
    const words = [...Object.keys(addresses), ...Object.keys(hostile), 'ai'];
    for (const [at, word] of words.entries()) await engine.tell(message(`con_${at + 1}`, 1, word));
    await engine.tell(message('con_50', 1, 'hello'));
    await until(async () => (await sentTexts(engine)).get(phoneOf('con_50'))?.length === 1, {
      what: 'everybody else to be answered',
      timeoutMs: 30_000,
    });
    await engine.tell(message('con_51', 1, 'ai'));
    await until(
      async () => {
        const { data } = await engine.call('GET', '/api/v1/runs');
        const open = (data as { status: string; contactId: string }[]).filter(
          ({ contactId, status }) => contactId !== 'con_50' && status === 'waiting',
        );
        return open.length === 0;
      },
      { what: 'every run to end', timeoutMs: 40_000 },
    );
    await settled(engine);
    const runs = (await engine.call('GET', '/api/v1/runs')).data as {
      contactId: string;
      status: string;
      reasonCode: string;
      reason: string;
    }[];
    const expected = [...Object.entries(addresses), ...Object.entries(hostile)];
    for (const [at, [word, [, code]]] of expected.entries()) {
      const run = runs.find(({ contactId }) => contactId === `con_${at + 1}`);
      t.match(run, { status: 'failed', reasonCode: new RegExp(code), reason: /\w+ / }, word);
    }
    t.equal(reached(), 0, 'nobody got inside');
    const sent = await sentTexts(engine);
    t.match(sent.get(phoneOf(`con_${words.length}`)), [/^Sorry: AI_/]);
    t.match(sent.get(phoneOf('con_51')), [/^Sorry: AI_/]);
  },
);

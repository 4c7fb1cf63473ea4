import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { apiKey, type Engine, message, settled, startEngine } from './helper.ts';

const end = { kind: 'end' };
const KEY = 'sk/live+0123456789"quoted"';

async function runEnds(engine: Engine, contactId: string) {
  return until(
    async () => {
      const { data } = await engine.call('GET', `/api/v1/runs?contactId=${contactId}`);
      const [run] = data as { id: string; status: string; reasonCode: string | null }[];
      return run && run.status !== 'waiting' && run;
    },
    { what: 'the run to end', timeoutMs: 30_000 },
  );
}

eachDatabase(
  t,
  'a secret reaches the server that a flow asks, and nobody else: no journal, no job, no answer of the API has it',
  async (t, database) => {
    const seen: { url: string; key: unknown; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push({ url: request.url ?? '', key: request.headers['x-key'], body });
      // Says back all that it was told.
      response
        .writeHead(200, { 'content-type': 'application/json', 'x-echo': String(request.headers['x-key']) })
        .end(JSON.stringify({ echo: body, url: request.url, [String(request.headers['x-key'])]: 1 }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const engine = await startEngine(t, database, { env: { FLOW_HTTP_ALLOWED_HOSTS: host } });
    const flow = (url: string, word: string) => ({
      name: word,
      triggers: [{ kind: 'keyword', words: [word] }],
      start: 'ask',
      nodes: {
        ask: {
          kind: 'http-request',
          method: 'POST',
          url,
          headers: { 'X-Key': '{{ secrets.shop-key }}' },
          json: { key: '{{ secrets.shop-key }}', said: '{{ event.text }}' },
          saveAs: 'answer',
          next: 'end',
        },
        end,
      },
    });
    const good = flow(`http://${host}/items?key={{ secrets.shop-key }}`, 'good');
    const created = await engine.call('POST', '/api/v1/flows', { definition: good });
    const { id } = (created.data as { flow: { id: string } }).flow;
    const refused = await engine.call('POST', `/api/v1/flows/${id}/publish`);
    t.match(refused.error.details?.problems, [
      { node: 'ask', path: '/nodes/ask/url', message: 'there is no secret "shop-key"' },
      { path: '/nodes/ask/headers/X-Key' },
      { path: '/nodes/ask/json/key' },
    ]);
    t.equal((await engine.call('PUT', '/api/v1/flow-secrets/shop-key', { value: 'a\nb c' })).status, 400);
    const set = await engine.call('PUT', '/api/v1/flow-secrets/shop-key', { value: KEY });
    t.match(set, { status: 200, data: { name: 'shop-key' } });
    t.match((await engine.call('GET', '/api/v1/flow-secrets')).data, [{ name: 'shop-key' }]);
    t.equal((await engine.call('POST', `/api/v1/flows/${id}/publish`)).status, 200);
    await engine.publish(flow(`http://{{ secrets.shop-key }}.${host}/`, 'misplaced'));

    await engine.tell(message('con_1', 1, 'good'));
    await engine.tell(message('con_2', 1, 'misplaced'));
    const run = await runEnds(engine, 'con_1');
    t.equal(run.status, 'finished');
    t.match(seen, [
      {
        url: `/items?key=${encodeURIComponent(KEY)}`,
        key: KEY,
        body: JSON.stringify({ key: KEY, said: 'good' }),
      },
    ]);
    t.equal((await runEnds(engine, 'con_2')).reasonCode, 'SECRET_MISPLACED');
    await settled(engine);
    const shown = JSON.stringify([
      (await engine.call('GET', `/api/v1/runs/${run.id}`)).data,
      (await engine.call('GET', '/api/v1/flow-secrets')).data,
      await engine.runtime.database.db.selectFrom('runs').selectAll().execute(),
      await engine.runtime.database.db.selectFrom('runJournal').selectAll().execute(),
      await engine.runtime.database.db.selectFrom('flowSecrets').selectAll().execute(),
      await engine.runtime.producer.queue('flows').getJobs(),
      await engine.runtime.producer.queue('webhooks').getJobs(),
    ]);
    for (const written of ['0123456789', encodeURIComponent(KEY)]) t.notOk(shown.includes(written), written);
    t.ok(shown.includes('[secret shop-key]'), 'what the server says back is hidden');
    t.match((await engine.call('POST', `/api/v1/runs/${run.id}/replay`)).data, { identical: true });

    const response = await engine.runtime.app.inject({
      method: 'DELETE',
      url: '/api/v1/flow-secrets/shop-key',
      headers: { authorization: `Bearer ${apiKey}` },
    });
    t.equal(response.statusCode, 200);
    await engine.tell(message('con_3', 1, 'good'));
    t.equal((await runEnds(engine, 'con_3')).reasonCode, 'SECRET_UNKNOWN');
    t.equal(seen.length, 1);
  },
);

import { createHmac } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { queueNames } from '@switchyard/jobs';
import { createSqliteDatabase, signMeta, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { ALERTMANAGER_TOKEN, environmentOf, SECRET, SHOP_SECRET, startIngress } from '../ingress.ts';

/**
 * Each file of `fixtures/webhooks/<kind>/` is a webhook as its provider sends it and, below it, the jobs it must become. An id that
 * changes here would make every event seen before an upgrade new after it. `TAP_SNAPSHOT=1` writes the jobs anew, to be read before
 * they are committed.
 */
interface Snapshot {
  headers?: Record<string, string>;
  /** The body as an object, or its text where that matters. */
  webhook?: unknown;
  text?: string;
  jobs?: unknown[];
}

const FOLDER = join(import.meta.dirname, '../fixtures/webhooks');
const CUSTOM_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

t.test('real-shaped webhooks of every type become the jobs that their files show', async (t) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, await createSqliteDatabase(t)));
  const { call, runtime } = ingress;
  // Ingress itself works at `control`: here the jobs are looked at.
  await Promise.all(queueNames.map((name) => runtime.producer.queue(name).pause()));
  const app = await call('POST', '/api/v1/apps', {
    body: {
      kind: 'custom',
      name: 'ERP',
      secret: CUSTOM_SECRET,
      signature: { scheme: 'standard-webhooks' },
    },
  });
  const { id: appId } = app.body.data as unknown as { id: string };
  const source = await call('POST', '/api/v1/sources', { body: { kind: 'custom', name: 'ERP', appId } });
  const { sourceKey } = source.body.data as unknown as { sourceKey: string };

  /** Posts as the provider of this kind does. */
  function post(kind: string, body: string, headers: Record<string, string>) {
    const send = (path: string, signed: Record<string, string>) =>
      call('POST', path, { body, key: '', headers: { ...headers, ...signed } });
    switch (kind) {
      case 'whatsapp':
        return send('/webhooks/whatsapp', { 'x-hub-signature-256': signMeta(body, SECRET) });
      case 'shopify':
        return send('/webhooks/shopify', { 'x-shopify-hmac-sha256': sign(SHOP_SECRET, body) });
      case 'alertmanager':
        return send('/webhooks/alertmanager', { authorization: `Bearer ${ALERTMANAGER_TOKEN}` });
      default: {
        const time = String(Math.floor(Date.now() / 1000));
        const id = headers['webhook-id'] ?? 'msg_default';
        const key = Buffer.from(CUSTOM_SECRET.slice('whsec_'.length), 'base64');
        return send(`/webhooks/events/${sourceKey}`, {
          'webhook-id': id,
          'webhook-timestamp': time,
          'webhook-signature': `v1,${sign(key, `${id}.${time}.${body}`)}`,
        });
      }
    }
  }

  /** All jobs of all queues, taken out. */
  async function takeJobs(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const name of queueNames) {
      const queue = runtime.producer.queue(name);
      const jobs = await queue.getJobs(['waiting', 'delayed', 'prioritized'], 0, -1, true);
      for (const job of jobs) {
        const { payload, meta } = job.data;
        found.push({ queue: name, name: job.name, id: job.id, merchantId: meta?.merchantId, payload });
        await job.remove();
      }
    }
    return found;
  }

  /** What differs between two runs: the time of receipt, the path of a source of one's own, and the ids that follow from it. */
  function stable(kind: string, jobs: unknown[], sinceMs: number): unknown[] {
    const text = JSON.stringify(jobs, (_key, value: unknown) =>
      typeof value === 'number' && value >= sinceMs && value <= Date.now() ? '<time of receipt>' : value,
    ).replaceAll(sourceKey, '<source>');
    return JSON.parse(kind === 'custom' ? text.replace(/evt_[\w-]{27}/g, '<id>') : text) as unknown[];
  }

  await takeJobs();
  const files = globSync('*/*.json', { cwd: FOLDER }).toSorted();
  t.ok(files.length > 90, 'none is missing');
  for (const file of files) {
    const kind = dirname(file);
    const snapshot = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Snapshot;
    const { headers = {}, webhook, text = JSON.stringify(webhook) } = snapshot;
    const sinceMs = Date.now();
    const answer = await post(kind, text, { 'content-type': 'application/json', ...headers });
    t.equal(answer.status, 200, `${kind}: ${basename(file, '.json')}`);
    const jobs = stable(kind, await takeJobs(), sinceMs);
    if (process.env.TAP_SNAPSHOT === '1')
      writeFileSync(join(FOLDER, file), `${JSON.stringify({ ...snapshot, jobs }, null, 2)}\n`);
    else t.same(jobs, snapshot.jobs, `the jobs of ${file}`);
  }
  const kept = await call('GET', '/api/v1/unrouted-events');
  t.same(kept.body.data, { events: [] }, 'nothing was unreadable');
});

function sign(key: string | Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64');
}

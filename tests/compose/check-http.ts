import assert from 'node:assert/strict';
import type { Report } from './report.ts';
import type { Stack } from './stack.ts';

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const totals = ['waiting', 'active', 'completed', 'failed', 'delayed'];

/** `/health` of every service, through the gateway (requirement R6.4). */
export async function checkHealth(stack: Stack, report: Report, services: readonly string[]): Promise<void> {
  for (const service of services)
    await report.check(`${service}: /health has its fixed shape`, async () => {
      const { status, body } = await get(`${stack.urlOf(service)}/health`);
      assert.equal(status, 200);
      assert.equal(body.status, 'ok');
      assert.equal(body.queues, 'healthy');
      assert.deepEqual(body.redis, { connected: true });
      assert.equal(typeof body.environment, 'string');
      assert.ok(typeof body.uptime === 'number' && body.uptime > 0);
      assert.ok(!Number.isNaN(Date.parse(String(body.timestamp))));
      for (const name of totals) assert.ok(isCount((body.totals as Body)[name]), name);
    });
}

/** The queue API (requirement R6.2). */
export async function checkFigures(stack: Stack, report: Report): Promise<void> {
  await report.check('/api/v1/queues/health has its fixed shape', async () => {
    const { status, body } = await get(`${stack.urlOf('metrics-exporter')}/api/v1/queues/health`, {
      authorization: `Bearer ${stack.apiKey}`,
    });
    assert.equal(status, 200);
    assert.equal(body.success, true);
    const data = body.data as Body;
    assert.equal(data.status, 'healthy');
    assert.deepEqual(data.redis, { connected: true });
    assert.ok(data.timestamp);
    for (const name of totals) assert.ok(isCount((data.totals as Body)[name]), name);
    const queues = data.queues as Record<string, Body>;
    for (const name of [
      'inbound',
      'receipts',
      'contacts',
      'flows',
      'messages',
      'webhooks',
      'emails',
      'imports',
    ]) {
      const queue = queues[name];
      assert.ok(queue, `${name} is missing`);
      assert.equal(queue.name, name);
      assert.equal(queue.isPaused, false);
      for (const figure of totals) assert.ok(isCount(queue[figure]), `${name}.${figure}`);
    }
  });
}

/** Bull Board (requirement R6.1). */
export async function checkLogin(stack: Stack, report: Report): Promise<void> {
  const url = `${stack.urlOf('metrics-exporter')}/admin/queues`;
  await report.check('Bull Board asks for a login', async () => {
    const response = await fetch(url);
    await response.body?.cancel();
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Basic/);
  });
  await report.check('Bull Board lets the development login in', async () => {
    const login = Buffer.from('admin:admin123').toString('base64');
    const response = await fetch(url, { headers: { authorization: `Basic ${login}` } });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /<html/i);
  });
}

type Body = Record<string, unknown>;

async function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body }> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: (await response.json()) as Body };
}

/**
 * How many sends per second the simulator takes, in a process of its own, with every status delivered to a receiver in
 * this one. Run: `node --conditions=@switchyard/source bench/send-rate.ts [sends] [connections] [pipelining]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

const [sends = 50_000, connections = 16, pipelining = 4] = process.argv.slice(2).map(Number);
let statusCount = 0;
const receiver = createServer((request, response) => {
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    statusCount += chunk.toString('latin1').split('"recipient_id"').length - 1;
  });
  request.on('end', () => response.end(length > 0 ? 'ok' : ''));
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');

const settings = {
  limits: { throughput: false, pair: false },
  window: { mode: 'off' },
  statuses: { sentDelayMs: 20, deliveredDelayMs: 100, readDelayMs: 300 },
  webhooks: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` },
};
const simulator = spawn(
  process.execPath,
  ['--conditions=@switchyard/source', fileURLToPath(new URL('../src/main.ts', import.meta.url))],
  {
    env: { ...process.env, PORT: '0', SIMULATOR_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
let url: string | undefined;
for await (const line of createInterface(simulator.stdout)) {
  url = (JSON.parse(line) as { url?: string }).url;
  if (url) break;
}
if (!url) throw new Error('the simulator did not start');
const pool = new Pool(url, { connections, pipelining });

let sent = 0;
let refused = 0;
async function sendInTurn(): Promise<void> {
  while (sent < sends) {
    sent += 1;
    const n = sent;
    const answer = await pool.request({
      method: 'POST',
      path: '/v23.0/100000000000001/messages',
      headers: { authorization: 'Bearer simulator-access-token', 'content-type': 'application/json' },
      body: JSON.stringify({
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        to: `1555${1_000_000 + n}`,
        type: 'text',
        text: { body: `Message number ${n} of a campaign, about as long as a short message is.` },
        biz_opaque_callback_data: `0198-${n}:1`,
      }),
    });
    if (answer.statusCode !== 200) refused += 1;
    await answer.body.dump();
  }
}

/** Processor time of the simulator, in seconds. */
function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${simulator.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const cpuBefore = cpuSeconds();
const startedAt = performance.now();
await Promise.all(Array.from({ length: connections * pipelining }, sendInTurn));
const seconds = (performance.now() - startedAt) / 1000;
const cpuAtEnd = cpuSeconds() - cpuBefore;
while (true) {
  const answer = await pool.request({ method: 'GET', path: '/_simulator/statistics' });
  const { data } = (await answer.body.json()) as {
    data: { plannedStatuses: number; webhooks: { pendingUpdates: number } };
  };
  if (data.plannedStatuses === 0 && data.webhooks.pendingUpdates === 0) break;
}
process.stdout.write(
  `${sends} sends in ${seconds.toFixed(2)} s: ${Math.round(sends / seconds)}/s, ${refused} refused; ` +
    `${Math.round(sends / cpuAtEnd)} sends per second of its processor time; ` +
    `${statusCount} statuses received, expected ${sends * 3}\n`,
);
await pool.close();
simulator.kill('SIGTERM');
await once(simulator, 'exit');
receiver.closeAllConnections();
receiver.close();

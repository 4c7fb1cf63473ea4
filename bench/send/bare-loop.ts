/** What sending is measured against: the same client posting the same bodies, and nothing else. Prints one line of figures as JSON. */
import { Pool } from 'undici';

const [, , url = '', connectionsText = '50', countText = '1000', numbersText = '1', warmText = '0'] =
  process.argv;
const connections = Number(connectionsText);
const count = Number(countText);
const numbers = Number(numbersText);
/** Calls before the measured ones, as the sender has had some by then, too. */
const warm = Number(warmText);
const pool = new Pool(new URL(url).origin, {
  connections,
  pipelining: 1,
  keepAliveTimeout: 4000,
  headersTimeout: 0,
  bodyTimeout: 0,
});
const headers = { authorization: 'Bearer simulator-access-token', 'content-type': 'application/json' };
let next = 0;

async function loop(end: number): Promise<void> {
  while (next < end) {
    const index = next++;
    const body = JSON.stringify({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: `1555${1_000_000 + (index % 5000)}`,
      type: 'text',
      text: { body: `message ${index} of a benchmark` },
      biz_opaque_callback_data: `m_bare_${process.pid}_${index}:1`,
    });
    const path = `/v24.0/${300_000_000_000_000 + (index % numbers)}/messages`;
    const answer = await pool.request({ method: 'POST', path, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
    if (typeof JSON.parse(text).messages[0].id !== 'string') throw new Error(text);
  }
}

const run = (end: number) => Promise.all(Array.from({ length: connections }, () => loop(end)));

await run(warm);
const startedAt = performance.now();
const cpu = process.cpuUsage();
await run(warm + count);
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpu);
await pool.close();
console.log(JSON.stringify({ perSecond: count / seconds, cpuUs: (user + system) / count }));

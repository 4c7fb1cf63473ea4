import { readFileSync } from 'node:fs';
import t from 'tap';
import { spawnNode, until } from '../src/index.ts';

const child = new URL('./fixtures/child.ts', import.meta.url);

t.test('a child runs from source with the given environment, arguments and nothing else', async (t) => {
  process.env.GREETING = 'leaked';
  t.equal(await spawnNode(t, child).waitForLine(/greeting/), 'greeting none ');
  const running = spawnNode(t, child, { env: { GREETING: 'hello' }, args: ['you'] });
  t.equal(await running.waitForLine(/greeting/), 'greeting hello you');
  t.same(await running.kill(), { code: 3, signal: null });
  t.match(running.output, /goodbye\n$/);
});

t.test('waiting for a line fails with the output when the child exits or time is up', async (t) => {
  const running = spawnNode(t, child);
  await t.rejects(running.waitForLine(/never/, { timeoutMs: 50 }), /within 50 ms/);
  await running.waitForLine(/greeting/);
  const waiting = running.waitForLine(/never/);
  t.same(await running.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
  await t.rejects(waiting, /before it exited; it printed:\ngreeting none/);
});

t.test('a server started by a process that dies by SIGKILL dies too', async (t) => {
  const running = spawnNode(t, child, { env: { WITH_REDIS: '1' } });
  const line = await running.waitForLine(/^redis \d+/);
  const pid = Number(line.split(' ')[1]);
  t.ok(process.kill(pid, 0));
  await running.kill('SIGKILL');
  await until(() => !isAlive(pid), { what: 'the orphaned server is gone' });
});

/** A dead process whose new parent never asks how it ended (a container without an init) stays listed, as a zombie. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // Without /proc (macOS) the signal alone tells.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux';
  }
}

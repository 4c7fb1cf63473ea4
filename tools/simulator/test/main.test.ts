import { fileURLToPath } from 'node:url';
import { spawnNode } from '@switchyard/test-kit';
import t from 'tap';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

t.test('the process says where it listens and ends cleanly when told to', async (t) => {
  const running = spawnNode(t, main, { env: { PORT: '0', SIMULATOR_SETTINGS: '{"window":{"mode":"off"}}' } });
  await running.waitForLine(/simulator ready/);
  running.kill('SIGTERM');
  t.match(await running.exited, { code: 0 });
});

t.test('wrong settings end it with one line that names the variable', async (t) => {
  for (const [variable, value] of [
    ['PORT', 'x'],
    ['SIMULATOR_WEBHOOK_URL', 'nowhere'],
    ['SIMULATOR_SETTINGS', '{'],
    ['SIMULATOR_SETTINGS', '{"limits":{"speed":1}}'],
  ] as const) {
    const running = spawnNode(t, main, { env: { PORT: '0', [variable]: value } });
    t.match(await running.exited, { code: 1 });
    t.match(running.output.trim(), new RegExp(`^${variable} .+$`));
  }
});

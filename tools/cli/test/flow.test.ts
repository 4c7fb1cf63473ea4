import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProducer } from '@switchyard/jobs';
import { createSqliteDatabase, silentLogger, spawnNode, startRedis, until } from '@switchyard/test-kit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { runCli } from '../src/index.ts';

const API_KEY = 'operator-key-of-these-tests';
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

async function flow(args: string[], env: Record<string, string> = {}) {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const code = await runCli(['flow', ...args], env, { print, complain: print });
  return { code, text: lines.join('\n') };
}

t.test('flow tests run without a server, and their exit code says how they went', async (t) => {
  const good = await flow(['test', fixture('greet.test.yaml')]);
  t.equal(good.code, 0, good.text);
  t.match(good.text, /^ok .*greet\.test\.yaml: greets, asks and thanks\nok .*\n2 passed, 0 failed$/);
  const both = await flow(['test', fixture('greet.test.yaml'), fixture('wrong.test.json')]);
  t.equal(both.code, 1);
  t.match(both.text, /not ok .*wrong\.test\.json: expects another answer/);
  t.match(
    both.text,
    /^ {6}person: socks\n {4}- flow: Thank you for “shoes”\.\n {4}\+ flow: Thank you for “socks”\.$/m,
    'the difference stands where it came up',
  );
  t.match(both.text, /2 passed, 1 failed$/);
});

t.test('what is wrong with a file is said in words, and nothing runs', async (t) => {
  const { dataDir } = await createSqliteDatabase(t);
  const write = async (name: string, content: string) => {
    const path = join(dataDir, name);
    await writeFile(path, content);
    return path;
  };
  const cases: [string, RegExp][] = [
    [join(dataDir, 'absent.json'), /absent\.json can't be read: ENOENT/],
    [await write('broken.json', '{"flow": '), /broken\.json: .*JSON/],
    [await write('broken.yaml', 'a: [1'), /broken\.yaml: /],
    [await write('none.json', '{"tests": []}'), /none\.json is no file of flow tests:\n {2}\//],
    [
      await write(
        'typo.json',
        JSON.stringify({ flow: {}, tests: [{ name: 'x', conversation: [{ sy: 'x' }] }] }),
      ),
      /no file of flow tests/,
    ],
    [
      await write(
        'bad-flow.json',
        JSON.stringify({
          flow: { name: 'x', triggers: [], start: 'a', nodes: { a: { kind: 'send', text: 'x', next: 'b' } } },
          tests: [{ name: 'x', conversation: [{ say: 'x' }] }],
        }),
      ),
      /is no flow that can run:\n {2}node "a" leads to "b", which does not exist/,
    ],
  ];
  for (const [path, message] of cases) {
    const { code, text } = await flow(['test', path]);
    t.equal(code, 1, path);
    t.match(text, message);
  }
  t.match(await flow(['tset']), { code: 2, text: /unknown command: flow tset/ });
  t.match(await flow(['test', '--wrong']), { code: 2 });
  t.match(await flow(['push', fixture('greet.yaml')]), { code: 1, text: /SWITCHYARD_API_KEY must be set/ });
  t.match(await flow(['runs', '--flows-url', 'http://127.0.0.1:9'], { SWITCHYARD_API_KEY: API_KEY }), {
    code: 1,
    text: /can't be reached/,
  });
});

t.test('a flow in a file can be talked to and drawn without a server', async (t) => {
  const talk = await flow(['simulate', fixture('greet.yaml'), '--say', 'hello', '--say', 'tap:order']);
  t.equal(
    talk.text,
    'person: hello\nflow: Hello! What do you need? [My order] [Something else]\nperson: My order\nflow: Thank you for “order”.\nthe run is finished',
  );
  t.match(await flow(['graph', fixture('greet.yaml'), '--format', 'mermaid']), {
    code: 0,
    text: /^---\ntitle: "Greet"/,
  });
  const { dataDir } = await createSqliteDatabase(t);
  const out = join(dataDir, 'greet.svg');
  t.equal((await flow(['graph', fixture('greet.yaml'), '--out', out])).code, 0);
  t.match(await readFile(out, 'utf8'), /^<svg /);
});

async function startEngine(t: Test, redisUrl: string): Promise<string> {
  const { dataDir } = await createSqliteDatabase(t);
  const main = new URL('../../../services/flow-engine/src/main.ts', import.meta.url);
  const env = {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'info',
    SWITCHYARD_API_KEY: API_KEY,
    DATA_DIR: dataDir,
    REDIS_URL: redisUrl,
  };
  const engine = spawnNode(t, main, { env });
  const line = await engine.waitForLine(/listening at http/i, { timeoutMs: 60_000 });
  return /http:\/\/[\d.:]+/.exec(line)![0];
}

t.test('flows are pushed, published, pulled, run, listed and replayed', async (t) => {
  const redis = await startRedis(t);
  const url = await startEngine(t, redis.url);
  const { dataDir } = await createSqliteDatabase(t);
  const env = { SWITCHYARD_API_KEY: API_KEY };
  const server = (...args: string[]) => flow([...args, '--flows-url', url], env);

  const pushed = await server('push', fixture('greet.yaml'), '--publish');
  t.match(pushed, { code: 0, text: /created flow_\w+\n.*published version 1$/ });
  const id = /flow_\w+/.exec(pushed.text)![0];
  t.match(await server('push', fixture('greet.yaml'), '--publish'), {
    code: 0,
    text: new RegExp(`${id} has it already, as version 1$`),
  });

  const file = join(dataDir, 'greet.json');
  t.match(await server('pull', id, '--out', file), { code: 0, text: /has version 1$/ });
  const definition = JSON.parse(await readFile(file, 'utf8'));
  definition.description = 'changed';
  await writeFile(file, JSON.stringify(definition));
  t.match(await server('push', file), { code: 0, text: /as draft, version 2$/ });
  t.match(await server('push', file, '--publish'), {
    code: 0,
    text: /has it already.*\n.*published version 2$/,
  });
  t.match(await server('simulate', id, '--say', 'hello'), { code: 0, text: /the run is waiting/ });
  t.match(await server('pull', 'flow_nobody'), { code: 1, text: /FLOW_UNKNOWN/ });

  const connection = new Redis(redis.url, { db: 1, maxRetriesPerRequest: null });
  const producer = createProducer({ connection, prefix: 'bull', logger: silentLogger() });
  t.teardown(async () => {
    await producer.close();
    connection.disconnect();
  });
  // The welcome flow answers to the same word, and is older.
  await fetch(`${url}/api/v1/flows/flow_welcome/archive`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}` },
  });
  const contact = { id: 'con_1', address: '+15551230001', optedOut: false };
  await until(
    async () => {
      const now = Date.now();
      await producer.add({
        queue: 'flows',
        name: 'start-run',
        payload: { merchantId: 'default', startId: `start_${now}`, flowId: id, contact },
      });
      return /con_1 .* waiting$/m.test((await server('runs', '--flow', id, '--status', 'waiting')).text);
    },
    { what: 'a run of the flow', intervalMs: 500, timeoutMs: 30_000 },
  );
  const replayed = await server('replay', '--flow', id);
  t.match(replayed, { code: 0, text: /^[1-9]\d* identical, 0 different$/ });
  t.match(await server('funnel', id), {
    code: 0,
    text: /^runs: \d+ entered, \d+ waiting, 0 finished, 0 dropped\n {2}ask /,
  });
  t.match(await server('library'), {
    code: 0,
    text: /^abandoned-checkout: .*\n {4}settings: waitMinutes, /m,
  });
  t.match(
    await server('install', 'abandoned-checkout', '--set', 'waitMinutes=5', '--set', 'text=Come back'),
    {
      code: 0,
      text: /^abandoned-checkout: flow_\w+, version 1, installed$/,
    },
  );
  t.match(await server('install', 'abandoned-checkout', '--set', 'waitMinutes'), {
    code: 1,
    text: /--set takes/,
  });
  t.match(await server('install', 'nothing'), { code: 1, text: /READY_MADE_UNKNOWN/ });
  t.match(await server('runs', '--limit', 'many'), { code: 1, text: /--limit/ });
});

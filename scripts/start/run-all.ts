import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { awaitReady } from './await-ready.ts';
import { build } from './build.ts';
import { type Child, type ChildContext, createChild } from './child.ts';
import { childEnvironment } from './child-environment.ts';
import { haveFirstConversation } from './conversation.ts';
import { describeAddresses } from './describe-addresses.ts';
import { createOrphanGuard } from './orphan-guard.ts';
import { isRedisConfigured, startOwnRedis } from './own-redis.ts';
import { choosePorts, freeMailPort } from './ports.ts';
import { takeRunLock } from './run-lock.ts';
import { settleSecrets } from './secrets.ts';
import { services, simulator } from './service-list.ts';
import { simulatorEnvironment } from './simulator-environment.ts';

const root = dirname(dirname(import.meta.dirname));

/**
 * Runs all of Switchyard on this machine until the signal: the whole of `npm start` and `npm run dev`.
 *
 * @param mode `start` runs what was built and prints warnings; `dev` runs the source, starts a service again when a file
 *   changes, and prints information too.
 * @param signal its abort ends everything in order; the promise then resolves.
 * @throws StartError when it can't start; whatever was started has then been ended.
 */
export async function runAll(mode: 'start' | 'dev', signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  if (existsSync(join(root, '.env'))) process.loadEnvFile(join(root, '.env'));
  const dataDir = resolve(root, process.env.DATA_DIR || 'data');
  mkdirSync(dataDir, { recursive: true });
  const host = process.env.HOST || '127.0.0.1';

  const started: Child[] = [];
  let redis: Child | undefined;
  const lock = await takeRunLock(dataDir);
  const guard = createOrphanGuard();
  const context: ChildContext = {
    lock,
    guard,
    logFile: (name) => join(dataDir, 'logs', `${name}.log`),
    print: (name, line) => console.log(`${name.padEnd(16)} ${line}`),
  };

  try {
    const secrets = settleSecrets(process.env, join(dataDir, 'secrets'));
    const simulated = simulatorEnvironment(process.env);
    const entries = simulated ? [simulator, ...services] : services;
    const ports = await choosePorts(entries, process.env, host);
    if (simulated) ports.set('smtp', Number(process.env.SIMULATOR_SMTP_PORT) || (await freeMailPort()));
    if (mode === 'start') {
      process.stdout.write('Building … ');
      build(root);
      print(seconds(startedAt));
    }
    const shared: Record<string, string | undefined> = {
      NODE_ENV: 'development',
      ...withoutEmpty(process.env),
      ...secrets,
      ...simulated?.(ports),
      HOST: host,
      DATA_DIR: dataDir,
    };
    if (!isRedisConfigured(process.env) && !signal.aborted) {
      const own = await startOwnRedis(dataDir, context);
      redis = own.child;
      shared.REDIS_URL = own.url;
      print(`Redis of its own on port ${own.port}, data in ${join(dataDir, 'redis')}`);
    }
    for (const entry of entries) {
      if (signal.aborted) break;
      const command = mode === 'start' ? ['dist/main.js'] : watchArguments;
      started.push(
        createChild(context, {
          name: entry.name,
          file: process.execPath,
          args: command,
          cwd: join(root, entry.folder),
          env: childEnvironment(entry, shared, { PORT: String(ports.get(entry.name)) }),
          printLevel: mode === 'start' ? 40 : 30,
        }),
      );
    }
    const urlOf = (name: string) => `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${ports.get(name)}`;
    const ready = Promise.all(
      started.map((child) =>
        awaitReady(child, {
          url: `${urlOf(child.name)}${child.name === 'simulator' ? '/' : '/ready'}`,
          logFile: context.logFile(child.name),
          timeoutMs: 60_000,
        }),
      ),
    );
    await Promise.race([ready, aborted(signal)]);
    for (const child of redis ? [redis, ...started] : started) child.superviseFromNowOn();
    if (!signal.aborted) {
      print(`Ready in ${seconds(startedAt)}\n`);
      print(describeAddresses({ urlOf, simulated: simulated !== undefined, env: shared, dataDir }));
      if (simulated) await converse(urlOf('simulator'), signal);
      print('\nCtrl-C stops everything.');
    }
    await aborted(signal);
    print('\nStopping …');
  } finally {
    const isSimulator = (child: Child) => child.name === 'simulator';
    await Promise.all(started.filter((child) => !isSimulator(child)).map((child) => child.stop(30_000)));
    await Promise.all(started.filter(isSimulator).map((child) => child.stop(5_000)));
    await redis?.stop(10_000);
    guard.dismiss();
    lock.release();
  }
  print('Stopped.');
}

const watchArguments = [
  '--watch',
  '--watch-preserve-output',
  '--conditions=@switchyard/source',
  'src/main.ts',
];

async function converse(simulatorUrl: string, signal: AbortSignal): Promise<void> {
  print('\nThe first conversation:\n');
  const isAnswered = await haveFirstConversation({
    simulatorUrl,
    phone: '15550001111',
    print,
    timeoutMs: 15_000,
    signal,
  });
  if (!isAnswered && !signal.aborted)
    print('  No reply came within 15 s; the warnings above and the log files may say why.');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A variable that is set to nothing counts as not set. */
function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function print(line: string): void {
  console.log(line);
}

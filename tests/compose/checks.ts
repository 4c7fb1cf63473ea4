import assert from 'node:assert/strict';
import { checkDeath } from './check-death.ts';
import { checkFigures, checkHealth, checkLogin } from './check-http.ts';
import { control, createPeople } from './people.ts';
import type { Report } from './report.ts';
import type { Container, Stack } from './stack.ts';

export const services = ['ingress', 'campaign-sender', 'flow-engine', 'notifier', 'metrics-exporter'];
const replicas: Record<string, number> = { 'flow-engine': 2, 'campaign-sender': 2 };

/** All that `npm run test:compose` promises, in order; what needs an earlier step is skipped where that fails. */
export async function runChecks(stack: Stack, report: Report): Promise<void> {
  const scale = Object.entries(replicas).flatMap(([service, count]) => ['--scale', `${service}=${count}`]);

  const isBuilt = await report.check('the images are built', () => timed(() => stack.composeLoudly('build')));
  if (!isBuilt) return;
  const isUp = await report.check('docker compose up: every service gets healthy', () =>
    timed(() => stack.composeLoudly('up', '--detach', '--wait', '--wait-timeout', '240', ...scale)),
  );
  if (!isUp) return;

  const everyone = await stack.containers();
  await report.check('flow-engine and campaign-sender run twice', async () => {
    for (const service of services)
      assert.equal(
        everyone.filter((each) => each.service === service).length,
        replicas[service] ?? 1,
        service,
      );
  });
  for (const container of everyone.filter(({ service }) => [...services, 'simulator'].includes(service)))
    await report.check(`${container.service} runs without root's rights and can't write to its image`, () =>
      checkConfinement(stack, container),
    );

  await checkHealth(stack, report, services);
  await checkFigures(stack, report);
  await checkLogin(stack, report);

  // A receiver that was away is asked again soon: the 20 s are ours, not the provider's growing pauses.
  await control(`${stack.urlOf('simulator')}/_simulator/settings`, { webhooks: { retryMaxMs: 2000 } }, 'PUT');
  const people = createPeople(stack.urlOf('simulator'));
  try {
    let transcript: string[] = [];
    const isAnswered = await report.check(
      'a first conversation: a question, and a reply to the answer',
      async () => {
        const { texts, firstReplyMs } = await people.converse('15557770001', 30_000);
        assert.equal(texts.length, 2);
        assert.match(texts[0] ?? '', /hello/i);
        transcript = texts;
        return `first reply after ${Math.round(firstReplyMs)} ms`;
      },
    );
    if (!isAnswered) return;
    for (const [index, service] of ['redis', ...services].entries())
      await checkDeath({ stack, report, people, service, transcript, phonePrefix: `1555100${index}` });
    await report.check('no message was accepted twice by the provider', async () => {
      const { totals } = await control<{ totals: object }>(`${stack.urlOf('simulator')}/_simulator/repeats`);
      assert.deepEqual(totals, { byMessageId: 0, byContent: 0 });
    });
  } finally {
    await people.close();
  }

  await checkStop(stack, report);
}

async function checkConfinement(stack: Stack, { id, isRootReadOnly }: Container): Promise<void> {
  assert.equal(isRootReadOnly, true, 'the root file system is not read-only');
  const script =
    'try { fs.writeFileSync("/app/x", ""); console.log("wrote") } catch (error) { console.log(process.getuid(), error.code) }';
  const [user, code] = (await stack.docker('exec', id, 'node', '-e', script)).trim().split(' ');
  assert.equal(code, 'EROFS');
  assert.notEqual(user, '0');
}

async function checkStop(stack: Stack, report: Report): Promise<void> {
  const isStopped = await report.check('docker compose stop ends within 30 s', async () => {
    const startedAt = performance.now();
    await stack.compose('stop', ...services, 'simulator');
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 30_000, `it took ${seconds(tookMs)}`);
    return seconds(tookMs);
  });
  if (!isStopped) return;
  for (const { service, exitCode } of await stack.containers())
    if (services.includes(service))
      await report.check(`${service} was stopped with exit code 0`, async () => assert.equal(exitCode, 0));
}

async function timed(work: () => Promise<unknown>): Promise<string> {
  const startedAt = performance.now();
  await work();
  return seconds(performance.now() - startedAt);
}

/** `1.5 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

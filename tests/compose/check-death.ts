import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { People } from './people.ts';
import type { Report } from './report.ts';
import type { Stack } from './stack.ts';

/** How many people talk while something dies, and how many begin to right after it. */
const talking = 12;
const beginning = 4;

/** What is promised of work after a death. */
const resumeWithinMs = 20_000;

/** A message whose sending ended unknown waits for its receipt, and for a later one that shows that receipts flow. */
const completeWithinMs = 90_000;

/**
 * Kills all containers of a service while people talk, and checks that every conversation goes through unchanged.
 *
 * Redis is killed and started again by hand; the process in a service's container is killed, and Docker's restart
 * policy starts it again.
 *
 * @param options `transcript` is what each person must get; `phonePrefix` makes this round's people different ones.
 */
export async function checkDeath(options: {
  stack: Stack;
  report: Report;
  people: People;
  service: string;
  transcript: readonly string[];
  phonePrefix: string;
}): Promise<void> {
  const { stack, report, people, service, transcript, phonePrefix } = options;
  const phone = (index: number) => `${phonePrefix}${String(index).padStart(3, '0')}`;

  const early = Array.from({ length: talking }, (_, index) =>
    people.converse(phone(index), completeWithinMs),
  );
  const settled = Promise.allSettled(early);
  // In the middle of it: some have their question, others do not.
  await Promise.race([settled, firstQuestion(people, phone)]);
  await kill(stack, service);
  const killedAt = performance.now();
  const late = Array.from({ length: beginning }, (_, index) =>
    people.converse(phone(talking + index), completeWithinMs),
  );
  const firstLate = Promise.any(late.map((each) => each.then(() => performance.now() - killedAt)));
  const allSettled = Promise.allSettled([...early, ...late]);

  await report.check(`${service} killed: it is healthy again within 20 s`, async () => {
    const deadline = killedAt + resumeWithinMs;
    while (!(await isReady(stack, service))) {
      if (performance.now() > deadline) throw new Error('it is not');
      await delay(100);
    }
    return `${((performance.now() - killedAt) / 1000).toFixed(1)} s`;
  });
  await report.check(
    `${service} killed: a conversation begun after it goes through within 20 s`,
    async () => {
      const tookMs = await firstLate;
      assert.ok(tookMs <= resumeWithinMs, `it took ${(tookMs / 1000).toFixed(1)} s`);
      return `${(tookMs / 1000).toFixed(1)} s`;
    },
  );
  await report.check(
    `${service} killed: all ${talking + beginning} conversations go through, nothing twice`,
    async () => {
      const outcomes = await allSettled;
      const problems = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason.message] : [],
      );
      assert.equal(problems.join('; '), '');
      for (let index = 0; index < talking + beginning; index++)
        assert.deepEqual(people.textsOf(phone(index)), transcript, phone(index));
      return `${((performance.now() - killedAt) / 1000).toFixed(1)} s after the death`;
    },
  );
}

async function firstQuestion(people: People, phone: (index: number) => string): Promise<void> {
  while (
    !Array.from({ length: talking }, (_, index) => people.textsOf(phone(index))).some(
      ({ length }) => length > 0,
    )
  )
    await delay(20);
}

async function kill(stack: Stack, service: string): Promise<void> {
  if (service === 'redis') {
    // What is killed by `docker kill` counts as stopped by hand: the restart policy leaves it alone.
    await stack.compose('kill', '--signal', 'KILL', service);
    await stack.compose('start', service);
    return;
  }
  const containers = await stack.containers(service);
  // From inside, as a crash would: everything that this user may kill, which is the service's process. The container
  // ends with it, and takes the shell along; so how that ends says nothing.
  await Promise.all(
    containers.map(({ id }) => stack.docker('exec', id, 'sh', '-c', 'kill -9 -1').catch(() => undefined)),
  );
}

/** Redis by its container; a service by what the gateway finds behind its name. */
async function isReady(stack: Stack, service: string): Promise<boolean> {
  if (service === 'redis')
    return (await stack.compose('exec', '-T', 'redis', 'redis-cli', 'ping')).includes('PONG');
  try {
    const response = await fetch(`${stack.urlOf(service)}/ready`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

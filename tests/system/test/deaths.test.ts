import { eachDatabase, type ProcessExit, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { converse, transcriptOf } from './system/converse.ts';
import { startEventReceiver } from './system/receive-events.ts';
import type { ServiceInstance } from './system/service-instance.ts';
import { type ServiceName, serviceNames } from './system/settings.ts';
import { type System, startSystem } from './system/start-system.ts';
import { subscribe } from './system/subscribe.ts';

/** People who talk while something dies; with eleven deaths these make about 150 conversations. */
const talking = 13;

/** How long a conversation may take that met a death: the grace of a message whose sending ended unknown is part of it. */
const completeWithinMs = 60_000;

await eachDatabase(
  t,
  'SIGTERM and SIGKILL of each service under load: no accepted event lost, no message sent twice; after SIGTERM exit 0 within 30 s; after SIGKILL work resumes within 20 s',
  async (t, database) => {
    const isReplicated = database.name === 'mysql';
    const system = await startSystem(t, {
      database,
      ...(isReplicated ? { replicas: { 'flow-engine': 2, 'campaign-sender': 2 } } : {}),
    });
    const { simulator } = system;
    const receiver = await startEventReceiver(t);
    await subscribe(system, receiver, ['message.received']);
    const { transcript: undisturbed } = await converse(simulator, '15559990001');

    const phones: string[] = [];
    const conversations: Promise<unknown>[] = [];
    const begin = (count: number) =>
      Array.from({ length: count }, () => {
        const phone = `1555${String(1_000_000 + phones.length)}`;
        phones.push(phone);
        const conversation = converse(simulator, phone, completeWithinMs);
        // Looked at in the end; until then a failure is not unhandled.
        conversation.catch(() => undefined);
        conversations.push(conversation);
        return conversation;
      });

    /** Lets people talk, kills in the middle of it, and measures until someone who begins after it is answered. */
    async function round(name: string, kill: () => Promise<void>): Promise<void> {
      const before = simulator.statistics().accepted;
      begin(talking);
      await until(() => simulator.statistics().accepted > before, {
        what: `work before ${name}`,
        timeoutMs: 30_000,
      });
      const diedAt = performance.now();
      const killed = kill();
      // Begins while nobody is there to take it.
      const [late] = begin(1);
      await killed;
      const resumed = await late?.then(
        () => performance.now() - diedAt,
        (error: Error) => error,
      );
      t.ok(typeof resumed === 'number' && resumed < 20_000, `${name}: work resumes within 20 s`, { resumed });
      if (typeof resumed === 'number') t.comment(`${name}: resumed after ${Math.round(resumed)} ms`);
    }

    for (const service of serviceNames) {
      await round(`${service} SIGKILL`, () => killOne(system, service));
      await round(`${service} SIGTERM`, () => stopAll(t, system, service));
    }
    await round('redis SIGKILL', async () => {
      await system.redis.kill();
      await system.redis.start();
    });

    // What waits for a receipt goes on only while receipts flow, as they do on any number in use.
    const all = Promise.allSettled(conversations);
    let isOver = false;
    void all.then(() => {
      isOver = true;
    });
    for (let extra = 0; !isOver; extra++)
      await converse(simulator, `1555${8_000_000 + extra}`, completeWithinMs).catch(() => undefined);
    const failures = (await all).flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    t.same(failures, [], `all ${phones.length} conversations went through`);
    const different = phones.filter(
      (phone) => JSON.stringify(transcriptOf(simulator, phone)) !== JSON.stringify(undisturbed),
    );
    t.same(different, [], 'each read what an undisturbed one reads, in that order', {
      seen: different.slice(0, 5).map((phone) => transcriptOf(simulator, phone)),
    });
    t.same(simulator.repeats(), [], 'no message was sent twice');

    // Both messages of a person, as events that ingress accepted: recorded, and told to the merchant.
    const inbound = simulator.statistics().inbound;
    const received = () => [...receiver.events.values()].filter(({ type }) => type === 'message.received');
    await until(() => new Set(received().map(({ data }) => data.messageId)).size >= inbound, {
      timeoutMs: 40_000,
      what: `the merchant knows of all ${inbound} messages`,
    }).catch((error: Error) => t.fail(error.message));
    t.equal(
      new Set(received().map(({ data }) => data.messageId)).size,
      inbound,
      'every accepted event had its effect',
    );
    for (const { service, output } of system.instances)
      t.notMatch(output, /"level":"fatal"/, `${service} never gave up by itself`);
  },
);

/** SIGKILL to one replica; it comes back as a supervisor would bring it. */
async function killOne(system: System, service: ServiceName): Promise<void> {
  const [victim] = system.replicasOf(service);
  await victim?.end('SIGKILL');
  await victim?.start();
}

/** SIGTERM to every replica at once: an orderly restart of the service. */
async function stopAll(t: Test, system: System, service: ServiceName): Promise<void> {
  const stop = async (instance: ServiceInstance): Promise<ProcessExit & { tookMs: number }> => {
    const exit = await instance.end('SIGTERM');
    await instance.start();
    return exit;
  };
  for (const { code, signal, tookMs } of await Promise.all(system.replicasOf(service).map(stop))) {
    t.same({ code, signal }, { code: 0, signal: null }, `${service} SIGTERM: exit 0`);
    t.ok(tookMs < 30_000, `${service} SIGTERM: within 30 s (${Math.round(tookMs)} ms)`);
  }
}

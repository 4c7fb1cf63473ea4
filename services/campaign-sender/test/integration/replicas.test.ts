import { createSecretBox } from '@switchyard/database';
import { eachDatabase, silentLogger, until } from '@switchyard/test-kit';
import t from 'tap';
import { createInScope } from '../../src/database/in-scope.ts';
import { buildApp, loadServiceConfig } from '../../src/index.ts';
import { ensureFirstSender } from '../../src/senders/ensure-first-sender.ts';
import { startStage } from '../helper.ts';

void eachDatabase(t, 'two processes share the work and send every message once', async (t, database) => {
  if (database.name === 'sqlite') {
    t.pass('a SQLite file belongs to one process');
    return;
  }
  const stage = await startStage(t, database);
  const second = await buildApp(loadServiceConfig(stage.env), { logger: silentLogger() });
  t.teardown(() => second.close());
  await second.start();
  const phones = Array.from({ length: 20 }, (_, index) => `15551236${String(index).padStart(3, '0')}`);
  for (const phone of phones) await stage.greet(phone);
  const count = 300;
  stage.simulator.addFault({ kind: 'cut-after', rate: 0.05 });
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const messageId = `m_${index}`;
      const to = phones[index % phones.length]!;
      // Asked for twice: whichever process is second finds the row.
      for (const jobId of [messageId, `again_${messageId}`])
        await stage.ingress.add({
          queue: 'messages',
          name: 'send-message',
          payload: { messageId, to, content: `text ${index}` },
          options: { jobId },
        });
    }),
  );
  const { db } = stage.service.database;
  await until(
    async () => {
      const { read } = await db
        .selectFrom('messages')
        .select(({ fn }) => fn.countAll<number>().as('read'))
        .where('state', '=', 'read')
        .executeTakeFirstOrThrow();
      return Number(read) === count;
    },
    { timeoutMs: 40_000, intervalMs: 100, what: 'all are read' },
  );
  t.strictSame(stage.simulator.repeats(), []);
  t.equal(stage.simulator.accepted().length, count);
});

void eachDatabase(
  t,
  'replicas that start at once record the number of their environment once',
  async (t, database) => {
    const stage = await startStage(t, database);
    const { db } = stage.service.database;
    const inScope = createInScope(stage.service.outbox, { wants: () => false });
    const config = loadServiceConfig(stage.env);
    const secretBox = createSecretBox(config.encryptionKeys);
    for (const phoneNumberId of ['100000000000010', '100000000000011', '100000000000012']) {
      await Promise.all(
        Array.from({ length: 8 }, () =>
          ensureFirstSender(inScope, secretBox, { ...config, whatsappPhoneNumberId: phoneNumberId }),
        ),
      );
      const defaults = await db
        .selectFrom('senders')
        .select('phoneNumberId')
        .where('isDefault', '=', 1)
        .execute();
      t.strictSame(defaults, [{ phoneNumberId }], 'one default number, the newest');
    }
  },
);

void eachDatabase(
  t,
  'of requests that record a number at once one succeeds, and the others hear that it is there',
  async (t, database) => {
    const stage = await startStage(t, database);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        stage.call('POST', '/api/v1/senders', {
          phoneNumberId: '100000000000020',
          accessToken: 'token-of-the-number',
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    t.strictSame(statuses, [201, ...Array.from({ length: 7 }, () => 409)]);
  },
);

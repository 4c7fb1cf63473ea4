import { eachDatabase, until } from '@switchyard/test-kit';
import type { KyselyPlugin } from 'kysely';
import t from 'tap';
import { defaultPeopleSettings } from '../../src/conversations/people-settings.ts';
import type { Store } from '../../src/database/scope.ts';
import { type InboundMessage, receiveMessages } from '../../src/inbound/receive-messages.ts';
import { startStage } from '../helper.ts';

const message = (eventId: string, from: string, body = 'hello'): InboundMessage => ({
  payload: {
    merchantId: 'default',
    eventId,
    phoneNumberId: '100000000000001',
    message: { id: `wamid.${eventId}`, from, type: 'text', text: { body } },
    occurredAtMs: Date.now(),
    receivedAtMs: Date.now(),
  },
  sender: { id: 'snd_1', accessToken: undefined },
  settings: defaultPeopleSettings,
  meta: {},
});

void eachDatabase(
  t,
  'a hundred messages of people who are known cost as many statements as one',
  async (t, database) => {
    const { service } = await startStage(t, database);
    const { db, dialect } = service.database;
    let statements = 0;
    const counter: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        statements += 1;
        return result;
      },
    };
    const jobs: unknown[] = [];
    const store: Store = {
      db,
      dialect,
      now: Date.now,
      inScope: (work) =>
        service.database.transaction((trx) =>
          work({ trx: trx.withPlugin(counter) as typeof trx, enqueue: (job) => void jobs.push(job) }),
        ),
    };
    const known = new Set<string>();
    const receive = async (count: number, round: string) => {
      statements = 0;
      jobs.length = 0;
      const items = Array.from({ length: count }, (_, index) =>
        message(`${round}_${index}`, `1555123${6000 + index}`),
      );
      const received = await receiveMessages(
        {
          store,
          mediaWaitMs: 0,
          firstTimeMany: async (_trx, ids) =>
            new Set([...ids].filter((id) => !known.has(id) && known.add(id))),
        },
        items,
      );
      t.equal(new Set(received.map((each) => each?.contactId)).size, count);
      return statements;
    };
    await receive(100, 'new');
    const one = await receive(1, 'a');
    t.equal(one, 7, 'and one each for the keys of the events and the jobs that follow');
    t.equal(await receive(100, 'b'), one);
    t.equal(jobs.length, 200, 'an event for flows and one for the merchant each');
  },
);

void eachDatabase(
  t,
  'messages of one person in one batch keep their order, and one that opts out is followed by what comes after it',
  async (t, database) => {
    const stage = await startStage(t, database);
    for (let round = 0; round < 3; round += 1)
      await Promise.all(
        ['first', 'stop', 'third'].map((body, index) => {
          const { payload } = message(`evt_${round}_${index}`, '15551237000', body);
          return stage.ingress.add({ queue: 'inbound', name: 'receive-message', payload });
        }),
      );
    const { db } = stage.service.database;
    const rows = await until(async () => {
      const found = await db
        .selectFrom('messages')
        .select(['sequence'])
        .orderBy('createdAtMs')
        .orderBy('id')
        .execute();
      return found.length === 9 && found;
    });
    t.strictSame(
      rows.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    t.match(await db.selectFrom('contacts').select(['optedOut', 'lastSequence', 'unreadCount']).execute(), [
      { optedOut: 1, lastSequence: 9, unreadCount: 9 },
    ]);
  },
);

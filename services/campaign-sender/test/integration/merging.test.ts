import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import fc from 'fast-check';
import t from 'tap';
import { inPeopleScope } from '../../src/contacts/contact-book.ts';
import { mergeContacts } from '../../src/contacts/merge-contacts.ts';
import type { Store } from '../../src/database/scope.ts';
import { type Stage, startStage } from '../helper.ts';

/** The service's store, as its processors have it. */
function storeOf({ service }: Stage): Store {
  const { db, dialect } = service.database;
  return {
    db,
    dialect,
    now: Date.now,
    inScope: (work) => service.database.transaction((trx) => work({ trx, enqueue: () => {} })),
  };
}

const merge = (store: Store, pair: readonly [string, string]) =>
  inPeopleScope(store, async (scope) => {
    const found = await scope.people.lock('default', pair);
    const [a, b] = [found.get(pair[0]), found.get(pair[1])];
    if (a && b) await mergeContacts(scope, store.dialect, [a, b], 'person', store.now());
  });

/** A contact with everything that can belong to one. */
async function make(stage: Stage, index: number, round: number): Promise<string> {
  const number = `+1555${String(round).padStart(3, '0')}${String(1000 + index)}`;
  const { body } = await stage.call('POST', '/api/v1/contacts', {
    phone: number,
    externalId: `${round}-${index}`,
    name: `Name ${index}`,
    tags: ['all', `tag${index}`],
    attributes: { shared: index, [`own${index}`]: true },
    consents: [{ purpose: 'marketing', granted: index % 2 === 0, source: 'form', decidedAtMs: 100 + index }],
  });
  await stage.service.database.db
    .insertInto('conversations')
    .values({
      contactId: body.data.id,
      senderId: 'snd_1',
      merchantId: 'default',
      windowExpiresAtMs: 1000 * index,
      lastInboundAtMs: index,
    })
    .execute();
  return body.data.id;
}

/** All that is in the tables of a contact. */
async function stateOf(stage: Stage, id: string) {
  const { body } = await stage.call('GET', `/api/v1/contacts/${id}`);
  const { updatedAtMs: _, identifiers, tags, ...contact } = body.data;
  const merges = await stage.call('GET', `/api/v1/contacts/${id}/merges`);
  const history = await stage.call('GET', `/api/v1/contacts/${id}/consents`);
  return {
    ...contact,
    tags: tags.toSorted(),
    identifiers: identifiers.map(({ value }: { value: string }) => value).toSorted(),
    merged: merges.body.data.items.map(({ mergedId }: { mergedId: string }) => mergedId).toSorted(),
    decisions: history.body.data.items.length,
  };
}

void eachDatabase(
  t,
  'contacts merged in any order, repeatedly and at the same time, become one: the oldest, with all that was theirs',
  async (t, database) => {
    const stage = await startStage(t, database);
    const store = storeOf(stage);
    const { db } = stage.service.database;
    let round = 0;
    // Pairs of four contacts that join all of them, in any order, with repetitions.
    const spanning = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 0, maxLength: 4 }).chain((more) =>
      fc.shuffledSubarray([[0, 1], [1, 2], [2, 3], ...more] as [number, number][], {
        minLength: 3 + more.length,
      }),
    );
    await fc.assert(
      fc.asyncProperty(spanning, fc.boolean(), async (pairs, atOnce) => {
        round += 1;
        const ids: string[] = [];
        for (let index = 0; index < 4; index += 1) ids.push(await make(stage, index, round));
        const work = pairs.map(([a, b]) => [ids[a]!, ids[b]!] as const);
        if (atOnce) await Promise.all(work.map((pair) => merge(store, pair)));
        else for (const pair of work) await merge(store, pair);
        for (const pair of work) await merge(store, pair);
        const state = await stateOf(stage, ids[3]!);
        t.match(state, {
          id: ids[0],
          name: 'Name 3',
          optedOut: false,
          marketingOptedOut: true,
          tags: ['all', 'tag0', 'tag1', 'tag2', 'tag3'],
          attributes: { shared: 3, own0: true, own1: true, own2: true, own3: true },
          merged: ids.slice(1).toSorted(),
          decisions: 4,
          consents: [{ purpose: 'marketing', granted: false, decidedAtMs: 103 }],
          conversations: [{ senderId: 'snd_1', windowExpiresAtMs: 3000 }],
        });
        t.equal(state.identifiers.length, 8);
        const left = await db.selectFrom('contacts').select('id').where('id', 'in', ids).execute();
        t.strictSame(left, [{ id: ids[0]! }]);
        for (const table of [
          'contact_identifiers',
          'contact_consents',
          'contact_tags',
          'conversations',
          'consent_history',
        ] as const)
          t.strictSame(
            await db.selectFrom(table).select('contactId').where('contactId', 'in', ids.slice(1)).execute(),
            [],
            table,
          );
      }),
      { numRuns: 6 },
    );
  },
);

t.test(
  'a message that names two contacts makes them one, and what was on its way to the other reaches it',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const imported = (
      await stage.call('POST', '/api/v1/contacts', { phone: '+15551234400', tags: ['imported'] })
    ).body.data.id;
    const receive = (eventId: string, message: object, profile: object = {}) =>
      stage.ingress.add({
        queue: 'inbound',
        name: 'receive-message',
        payload: {
          merchantId: 'default',
          eventId,
          phoneNumberId: '100000000000001',
          message: { id: `wamid.${eventId}`, type: 'text', text: { body: 'hi' }, ...message },
          profile,
          occurredAtMs: Date.now(),
          receivedAtMs: Date.now(),
        },
      });
    await receive('evt_1', { from_user_id: 'US.44' });
    const other = await until(
      async () => (await stage.call('GET', '/api/v1/contacts?address=US.44')).body.data.items[0]?.id,
    );
    t.not(other, imported);
    await receive('evt_2', { from_user_id: 'US.44' }, { waId: '15551234400', userId: 'US.44', name: 'Ana' });
    await until(async () => (await stage.call('GET', `/api/v1/contacts/${other}`)).body.data.id === imported);
    const contact = (await stage.call('GET', `/api/v1/contacts/${imported}`)).body.data;
    t.match(contact, { phone: '+15551234400', userId: 'US.44', name: 'Ana', tags: ['imported'] });
    const messages = (await stage.call('GET', `/api/v1/conversations/${imported}/messages`)).body.data.items;
    t.equal(messages.length, 2);
    const merged = await until(async () =>
      (await stage.queued('flows')).find(({ payload }) => payload.name === 'contact.merged'),
    );
    t.match(merged.payload, {
      contact: { id: imported, phone: '+15551234400', userId: 'US.44', tags: ['imported'] },
      // Its one message was passed on under its own id.
      body: JSON.stringify({ mergedContactId: other, mergedSequence: 1 }),
    });
    // An effect of a flow that still knows the other.
    await stage.ingress.add({
      queue: 'contacts',
      name: 'tag-contact',
      payload: { merchantId: 'default', contactId: other, effectId: 'eff_1', add: ['late'], runId: 'run_1' },
    });
    const tagged = await until(async () =>
      (await stage.queued('flows')).find(
        ({ payload }) => payload.name === 'contact.tag_added' && String(payload.body).includes('late'),
      ),
    );
    t.match(tagged.payload, {
      contact: { id: imported },
      origin: { runId: 'run_1' },
      body: '{"tag":"late"}',
    });

    // Another user id on the same phone number: the number has gone to somebody else, and moves.
    await receive('evt_3', { from_user_id: 'US.45' });
    await until(
      async () => (await stage.call('GET', '/api/v1/contacts?address=US.45')).body.data.items.length === 1,
    );
    await receive('evt_4', { from_user_id: 'US.45' }, { waId: '15551234400', userId: 'US.45' });
    await until(
      async () =>
        (await stage.call('GET', '/api/v1/contacts?address=US.45')).body.data.items[0].phone ===
        '+15551234400',
    );
    t.match((await stage.call('GET', `/api/v1/contacts/${imported}`)).body.data, {
      userId: 'US.44',
      phone: null,
    });
  },
);

t.test('a change of user id that leads to somebody known makes the two one', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const make = async (userId: string) =>
    (await stage.call('POST', '/api/v1/contacts', { userId })).body.data.id;
  const first = await make('US.1');
  const second = await make('US.2');
  await stage.ingress.add({
    queue: 'receipts',
    name: 'apply-preferences',
    payload: {
      merchantId: 'default',
      eventId: 'evt_changed',
      field: 'user_id_update',
      value: [{ user_id: { previous: 'US.1', current: 'US.2' } }],
      occurredAtMs: 1,
      receivedAtMs: 1,
    },
  });
  await until(async () => (await stage.call('GET', `/api/v1/contacts/${second}`)).body.data.id === first);
  t.match((await stage.call('GET', `/api/v1/contacts/${first}`)).body.data, { userId: 'US.2' });
});

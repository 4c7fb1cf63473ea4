import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

interface Event {
  sequence: number;
  content: {
    type: string;
    text?: string;
    media?: { path: string; mimeType: string; bytes: number };
    mediaProblem?: string;
  };
}

async function events(stage: Stage, count: number): Promise<Event[]> {
  return await until(
    async () => {
      const jobs = (await stage.queued('flows')).filter(({ name }) => name === 'handle-event');
      return (
        jobs.length >= count &&
        jobs.map(({ payload }) => payload as unknown as Event).toSorted((a, b) => a.sequence - b.sequence)
      );
    },
    { what: `${count} events for flows` },
  );
}

const media = (stage: Stage) =>
  stage.service.database.db.selectFrom('inbound_media').selectAll().orderBy('id').execute();

void eachDatabase(
  t,
  'a voice message goes to flows with its file, later ones behind it, and the merchant can download it',
  async (t, database) => {
    const stage = await startStage(t, database, { env: { MEDIA_WAIT_MS: '60000' } });
    const from = '15551234100';
    const bytes = Buffer.from('OggS not really a voice');
    stage.simulator.inject({ from, type: 'audio', mediaBase64: bytes.toString('base64') });
    const [first] = await events(stage, 1);
    t.match(first!.content, {
      type: 'audio',
      media: { mimeType: 'audio/ogg; codecs=opus', bytes: bytes.length },
    });
    const { path } = first!.content.media!;
    t.match(path, /^media\/default\/\d{4}-\d\d\/med_\w+\.ogg$/);
    t.ok((await readFile(join(database.dataDir, 'files', path))).equals(bytes));

    stage.simulator.inject({ from, text: 'and a text' });
    t.strictSame(
      (await events(stage, 2)).map(({ sequence }) => sequence),
      [1, 2],
    );

    const [row] = await media(stage);
    t.match(await stage.call('GET', `/api/v1/messages/${row!.messageId}/media`), {
      status: 200,
      body: { data: { state: 'stored', bytes: bytes.length } },
    });
    const download = await stage.service.app.inject({
      url: `/api/v1/messages/${row!.messageId}/media/content`,
      headers: { authorization: 'Bearer test-key-of-the-default-merchant' },
    });
    t.ok(download.rawPayload.equals(bytes));
    t.match(download.headers, {
      'content-type': 'audio/ogg; codecs=opus',
      'content-disposition': /^attachment/,
      'x-content-type-options': 'nosniff',
    });
  },
);

t.test(
  'an event waits for its file no longer than it may, what came after it waits with it, and a file that comes late is still kept',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t), { env: { MEDIA_WAIT_MS: '600000' } });
    const from = '15551234101';
    const { db } = stage.service.database;
    const { accessToken } = await db.selectFrom('senders').select('accessToken').executeTakeFirstOrThrow();
    // A token that the provider refuses: the file does not come, but nobody knows that it never will.
    await stage.call(
      'PATCH',
      `/api/v1/senders/${(await stage.call('GET', '/api/v1/senders')).body.data.items[0].id}`,
      {
        accessToken: 'stale',
      },
    );
    stage.simulator.inject({ from, type: 'image', caption: 'look' });
    await until(
      async () => (await db.selectFrom('contacts').select('heldEvents').executeTakeFirst())?.heldEvents === 1,
      {
        what: 'the event waits',
      },
    );
    stage.simulator.inject({ from, text: 'stop' });
    await until(async () => (await db.selectFrom('held_events').select('sequence').execute()).length === 2, {
      what: 'the next one waits behind it',
    });
    t.equal((await stage.queued('flows')).filter(({ name }) => name === 'handle-event').length, 0);
    await db.updateTable('held_events').set({ waitUntilMs: 0 }).execute();
    const [late, next] = await events(stage, 2);
    t.match(late!.content, { text: 'look', mediaProblem: 'MEDIA_LATE' });
    t.match(late, { contact: { optedOut: true } }, 'what happened meanwhile is not kept from flows');
    t.notHas(late!.content, { media: {} });
    t.match(next!.content, { text: 'stop' });
    const [pending] = await media(stage);
    t.match(pending, { state: 'pending', failureCode: 'SENDER_TOKEN_INVALID' });
    t.match(await stage.call('GET', `/api/v1/messages/${pending!.messageId}/media/content`), {
      status: 409,
      body: { error: { code: 'MEDIA_PENDING' } },
    });
    await db.updateTable('senders').set({ accessToken }).execute();
    await db.updateTable('inbound_media').set({ nextAttemptAtMs: 0 }).execute();
    await until(async () => (await media(stage))[0]!.state === 'stored', {
      what: 'the file is there',
      timeoutMs: 20_000,
    });
    t.match(await db.selectFrom('contacts').select('heldEvents').execute(), [{ heldEvents: 0 }]);
  },
);

t.test('a file that is gone or too large is given up, and the event says why', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), { env: { MEDIA_WAIT_MS: '60000' } });
  const file = (more: object) => ({
    type: 'image',
    content: { mime_type: 'image/png', id: '999', sha256: 'x', ...more },
  });
  stage.simulator.inject({ from: '15551234102', ...file({}) });
  const [gone] = await events(stage, 1);
  t.match(gone!.content, { type: 'image', mediaProblem: 'MEDIA_GONE' });
  stage.simulator.inject({
    from: '15551234103',
    type: 'image',
    mediaBase64: Buffer.alloc(5 * 1024 * 1024 + 1).toString('base64'),
  });
  await events(stage, 2);
  t.match(
    (await media(stage)).map(({ state, failureCode }) => ({ state, failureCode })),
    [
      { state: 'failed', failureCode: 'MEDIA_GONE' },
      { state: 'failed', failureCode: 'MEDIA_TOO_LARGE' },
    ],
  );
  const [first] = await media(stage);
  t.match(await stage.call('GET', `/api/v1/messages/${first!.messageId}/media/content`), {
    status: 410,
    body: { error: { code: 'MEDIA_UNAVAILABLE', details: { code: 'MEDIA_GONE' } } },
  });
});

t.test('an address that runs out before it is used is asked for again', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t), {
    env: { MEDIA_WAIT_MS: '60000' },
    simulator: { settings: { media: { urlLifetimeMs: 0 } } },
  });
  stage.simulator.inject({ from: '15551234104', type: 'image' });
  await until(async () => (await media(stage))[0]?.failureCode === 'MEDIA_URL_EXPIRED', {
    what: 'the address has run out twice',
  });
  stage.simulator.changeSettings({ media: { urlLifetimeMs: 300_000 } });
  const [event] = await events(stage, 1);
  t.ok(event!.content.media, 'a later try asks for a fresh one');
});

t.test('erasing a person deletes his files', async (t) => {
  const database = await createSqliteDatabase(t);
  const stage = await startStage(t, database);
  stage.simulator.inject({ from: '15551234105', type: 'image' });
  const [event] = await events(stage, 1);
  const path = join(database.dataDir, 'files', event!.content.media!.path);
  t.ok((await readFile(path)).length > 0);
  await stage.ingress.add({
    queue: 'contacts',
    name: 'erase-person',
    payload: {
      merchantId: 'default',
      erasureId: 'era_1',
      identifiers: [{ kind: 'phone', value: '+15551234105' }],
    },
  });
  await until(async () => (await stage.queued('control')).some(({ name }) => name === 'acknowledge-erasure'));
  t.strictSame(await media(stage), []);
  await t.rejects(readFile(path), { code: 'ENOENT' });
});

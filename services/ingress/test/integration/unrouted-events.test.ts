import { eachDatabase, startRedis } from '@switchyard/test-kit';
import t from 'tap';
import { message, messagesChange, NUMBER, OTHER_NUMBER, textWebhook, webhook } from '../fixtures/payloads.ts';
import { environmentOf, jobsIn, startIngress } from '../ingress.ts';

interface Kept {
  id: string;
  reason: string;
  body: string;
  bodyEncoding: string;
  sourceKey: string | null;
  replayedAtMs: number | null;
}

eachDatabase(t, 'unrouted events', async (t, database) => {
  const redis = await startRedis(t);
  const ingress = await startIngress(t, environmentOf(redis, database));
  const { call, webhook: post } = ingress;
  const list = async (query = ''): Promise<Kept[]> =>
    (await call('GET', `/api/v1/unrouted-events${query}`)).body.data.events as unknown as Kept[];
  const get = async (id: string) =>
    (await call('GET', `/api/v1/unrouted-events/${id}`)).body.data as unknown as Kept;

  await t.test(
    'an event of an unknown number is acknowledged, kept whole, and replayed once it has a source',
    async (t) => {
      const body = JSON.stringify(textWebhook('stranger', {}, OTHER_NUMBER)).replace(
        '"type":"text"',
        '"type":"text","n":9007199254740993',
      );
      const known = JSON.stringify(messagesChange({ messages: [message('text', { id: 'known' })] }));
      const both = body.replace('"changes":[', `"changes":[${known},`);
      t.equal((await post(both)).status, 200);
      t.equal((await post(both)).status, 200, 'the provider’s retry');
      const events = await list();
      t.match(events, [{ reason: 'source-unknown', sourceKey: OTHER_NUMBER, replayedAtMs: null }]);
      const [event] = events;
      const whole = await get(event!.id);
      t.match(whole.body, '"n":9007199254740993', 'numbers as they were');
      t.notMatch(whole.body, '"known"', 'only this event');

      t.match(await call('POST', `/api/v1/unrouted-events/${event!.id}/replay`), {
        status: 409,
        body: { error: { code: 'STILL_UNROUTED' } },
      });
      const created = await call('POST', '/api/v1/sources', {
        body: { kind: 'whatsapp', sourceKey: OTHER_NUMBER, appId: 'app_environment' },
      });
      t.equal(created.status, 201);
      t.match(await call('POST', `/api/v1/unrouted-events/${event!.id}/replay`), {
        status: 200,
        body: { data: { accepted: 1 } },
      });
      t.match(await call('POST', `/api/v1/unrouted-events/${event!.id}/replay`), {
        status: 200,
        body: { data: { accepted: 0, duplicate: 1 } },
      });
      const jobs = await jobsIn(ingress, 'inbound', 'receive-message');
      t.same(jobs.map((job) => job.message.id).sort(), ['known', 'stranger']);
      t.match(await list('?replayed=true'), [{ id: event!.id }]);
      t.same(await list('?replayed=false'), []);
    },
  );

  await t.test('what has the wrong shape is kept beside what goes through', async (t) => {
    const payload = webhook(messagesChange({ messages: [message('text', { id: 'ok' }), { no: 'id' }] }), {
      field: 'x',
    });
    t.equal((await post(payload)).status, 200);
    t.same((await list('?replayed=false')).map(({ reason }) => reason).sort(), [
      'malformed-change',
      'malformed-message',
    ]);
  });

  await t.test('a signed body that is no webhook gets 400, and is kept all the same', async (t) => {
    for (const [body, reason] of [
      ['{"entry":', 'not-json'],
      ['[1,2]', 'not-an-envelope'],
      [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'not-utf8'],
      [`{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 'nested-too-deep'],
    ] as const) {
      t.match(await post(body), { status: 400, body: { error: { code: 'PAYLOAD_MALFORMED' } } }, reason);
      const [kept] = await list(`?reason=${reason}`);
      const whole = await get(kept!.id);
      t.same(Buffer.from(whole.body, whole.bodyEncoding as BufferEncoding), Buffer.from(body), reason);
    }
  });

  await t.test('while a source is disabled its events are kept, and go through after a replay', async (t) => {
    const sources = (await call('GET', '/api/v1/sources')).body.data as unknown as {
      id: string;
      sourceKey: string;
    }[];
    const source = sources.find(({ sourceKey }) => sourceKey === NUMBER)!;
    t.equal(
      (
        await call('PATCH', `/api/v1/sources/${source.id}`, {
          body: { status: 'disabled', reason: 'moving' },
        })
      ).status,
      200,
    );
    t.equal((await post(textWebhook('while-disabled'))).status, 200);
    const [kept] = await list('?reason=source-disabled');
    t.ok(kept);
    await call('PATCH', `/api/v1/sources/${source.id}`, { body: { status: 'active' } });
    t.match(await call('POST', `/api/v1/unrouted-events/${kept!.id}/replay`), {
      status: 200,
      body: { data: { accepted: 1 } },
    });
  });

  await t.test('many are replayed by one call; what is still at fault stays, and stops nobody', async (t) => {
    const number = '106540352242777';
    for (const id of ['m-1', 'm-2', 'm-3']) t.equal((await post(textWebhook(id, {}, number))).status, 200);
    t.equal((await post('"no envelope"')).status, 400);
    const replay = async (body: object) =>
      (await call('POST', '/api/v1/unrouted-events/replay', { body })).body.data as Record<string, unknown>;
    t.match(await replay({ sourceKey: number }), { replayed: 0, stillUnrouted: 3, refused: 0 });
    const body = { kind: 'whatsapp', sourceKey: number, appId: 'app_environment' };
    t.equal((await call('POST', '/api/v1/sources', { body })).status, 201);
    const first = await replay({ sourceKey: number, limit: 2 });
    t.match(first, { replayed: 2, stillUnrouted: 0 });
    t.same(await replay({ sourceKey: number, after: first.next }), {
      replayed: 1,
      stillUnrouted: 0,
      refused: 0,
    });
    t.match(await replay({ reason: 'not-an-envelope' }), { replayed: 0, refused: /[1-9]/ });
    t.same(await replay({ sourceKey: number }), { replayed: 0, stillUnrouted: 0, refused: 0 });
    const jobs = await jobsIn(ingress, 'inbound', 'receive-message');
    t.same(jobs.flatMap((job) => (String(job.message.id).startsWith('m-') ? [job.message.id] : [])).sort(), [
      'm-1',
      'm-2',
      'm-3',
    ]);
    t.equal((await call('POST', '/api/v1/unrouted-events/replay', { body: { resaon: 'x' } })).status, 400);
  });

  await t.test('pages follow one another without gap or repeat', async (t) => {
    const all = (await list()).map(({ id }) => id);
    const paged: string[] = [];
    let before = '';
    for (;;) {
      const { data } = (await call('GET', `/api/v1/unrouted-events?limit=2${before}`)).body;
      const page = data as unknown as { events: Kept[]; next?: string };
      paged.push(...page.events.map(({ id }) => id));
      if (page.next === undefined) break;
      before = `&before=${page.next}`;
    }
    t.same(paged, all);
  });
});

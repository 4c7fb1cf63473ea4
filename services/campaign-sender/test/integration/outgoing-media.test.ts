import { createHash } from 'node:crypto';
import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { API_KEY, type Stage, startStage } from '../helper.ts';

async function upload(stage: Stage, bytes: Buffer, mimeType: string) {
  const response = await stage.service.app.inject({
    method: 'POST',
    url: '/api/v1/media?fileName=picture.png',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': mimeType },
    payload: bytes,
  });
  return { status: response.statusCode, body: response.json() };
}

void eachDatabase(
  t,
  'a file is stored once, uploaded once per number, and once more when the provider could not use it',
  async (t, database) => {
    const stage = await startStage(t, database);
    await stage.greet('15551230001');
    const bytes = Buffer.from('a picture');
    const stored = await upload(stage, bytes, 'image/png');
    t.match(stored, {
      status: 201,
      body: { data: { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length } },
    });
    const { id } = stored.body.data;
    t.match(await upload(stage, bytes, 'image/png'), { status: 200, body: { data: { id } } });
    t.same((await stage.call('GET', `/api/v1/media/${id}/content`)).body, bytes);
    t.equal((await upload(stage, bytes, 'application/x-sh')).status, 415);
    t.equal((await upload(stage, Buffer.alloc(5 * 1024 * 1024 + 1), 'image/png')).status, 413);
    t.match((await stage.call('GET', '/api/v1/media')).body.data.items, [{ id }]);

    const send = async (type: string, content: object) =>
      await stage.call('POST', '/api/v1/messages', { to: '15551230001', type, content });
    t.match(await send('document', { media: id }), {
      status: 422,
      body: { error: { details: { code: 'MEDIA_INVALID', field: 'content.media' } } },
    });
    t.equal((await send('image', { media: 'med_unknown' })).status, 422);
    const ids = [];
    for (const caption of ['one', 'two']) {
      const answer = await send('image', { media: id, caption });
      ids.push(answer.body.data.messages[0].id);
    }
    await until(async () => stage.simulator.accepted().length === 2, { what: 'both are accepted' });
    t.equal(stage.simulator.statistics().mediaUploads, 1);
    const payloads = stage.simulator.accepted().map(({ payload }) => payload as { image: { id: string } });
    t.match(payloads[0]!.image.id, /^\d+$/);
    t.equal(payloads[0]!.image.id, payloads[1]!.image.id);
    t.match((await stage.call('GET', `/api/v1/messages/${ids[0]}`)).body.data.content, { media: id });

    stage.simulator.addFault({ kind: 'error', code: 131053, type: 'image', count: 1 });
    await send('image', { media: id, caption: 'three' });
    await until(async () => stage.simulator.accepted().length === 3, {
      what: 'it is accepted after another upload',
      timeoutMs: 30_000,
    });
    t.equal(stage.simulator.statistics().mediaUploads, 2);

    const { db } = stage.service.database;
    stage.simulator.addFault({ kind: 'fail', code: 131053, type: 'image', count: 1 });
    await send('image', { media: id, caption: 'four' });
    await until(async () => (await db.selectFrom('media_uploads').select('mediaId').execute()).length === 0, {
      what: 'a receipt has told that the file is of no use',
    });

    t.equal((await stage.call('DELETE', `/api/v1/media/${id}`)).status, 200);
    t.equal((await send('image', { media: id })).status, 422);
    t.equal((await stage.call('GET', `/api/v1/media/${id}/content`)).status, 404);
  },
);

void eachDatabase(
  t,
  'a file that the provider will not take fails its message with the reason',
  async (t, database) => {
    const stage = await startStage(t, database, { subscriptions: null });
    await stage.greet('15551230002');
    const { body } = await upload(stage, Buffer.from('%PDF'), 'application/pdf');
    stage.simulator.addFault({ kind: 'error', code: 100, type: 'media', details: 'not a PDF' });
    const sent = await stage.call('POST', '/api/v1/messages', {
      to: '15551230002',
      type: 'document',
      content: { media: body.data.id },
    });
    const { id } = sent.body.data.messages[0];
    const failed = await until(
      async () => {
        const { data } = (await stage.call('GET', `/api/v1/messages/${id}`)).body;
        return data.state === 'failed' && data;
      },
      { what: 'the message fails' },
    );
    t.match(failed, { failureCode: '100', failureReason: /not a PDF/, attempts: 0 });
    t.equal(stage.simulator.accepted().length, 0);
  },
);

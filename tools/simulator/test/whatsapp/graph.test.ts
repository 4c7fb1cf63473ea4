import { createHash } from 'node:crypto';
import t from 'tap';
import { graph, send, start, startReceiver } from '../helper.ts';

t.test('media goes up, is looked up, comes down with the token alone, and is deleted', async (t) => {
  const simulator = await start(t);
  const { url, credentials } = simulator;
  const authorization = `Bearer ${credentials.accessToken}`;
  const bytes = Buffer.from('a picture');
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('type', 'image/png');
  form.set('file', new Blob([bytes], { type: 'image/png' }), 'x.png');
  const path = `${url}/v23.0/${credentials.phoneNumberId}/media`;
  const uploaded = await fetch(path, { method: 'POST', headers: { authorization }, body: form });
  const { id } = (await uploaded.json()) as { id: string };
  t.match(id, /^\d+$/);
  t.equal((await send(simulator, { type: 'image', image: { id } })).status, 200);
  const { body } = await graph(simulator, 'GET', id);
  t.match(body, {
    id,
    mime_type: 'image/png',
    file_size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  const link = String(body.url);
  t.equal((await fetch(link)).status, 401, 'not without the token');
  const download = await fetch(link, { headers: { authorization } });
  t.same(Buffer.from(await download.arrayBuffer()), bytes);
  simulator.changeSettings({ media: { urlLifetimeMs: 0 } });
  const expired = (await graph(simulator, 'GET', id)).body.url;
  t.equal((await fetch(String(expired), { headers: { authorization } })).status, 404, 'not after its time');
  t.same((await graph(simulator, 'DELETE', id)).body, { success: true });
  t.equal((await graph(simulator, 'GET', id)).body.error?.error_subcode, 33);
});

t.test('an upload without a file, or of an unsupported type, is refused', async (t) => {
  const simulator = await start(t);
  const upload = async (fill: (form: FormData) => void) => {
    const form = new FormData();
    form.set('messaging_product', 'whatsapp');
    fill(form);
    const response = await fetch(`${simulator.url}/${simulator.credentials.phoneNumberId}/media`, {
      method: 'POST',
      headers: { authorization: `Bearer ${simulator.credentials.accessToken}` },
      body: form,
    });
    return ((await response.json()) as { error: { code: number; message: string } }).error;
  };
  t.match(await upload(() => {}), { code: 100, message: /file is required/ });
  t.match(await upload((form) => form.set('file', new Blob(['x'], { type: 'image/bmp' }), 'x')), {
    code: 100,
    message: /supported type/,
  });
  const large = new Blob([new Uint8Array(5 * 1024 * 1024 + 1)], { type: 'image/png' });
  t.match(await upload((form) => form.set('file', large, 'x')), { code: 131053 });
});

t.test('a number shows the fields asked for', async (t) => {
  const simulator = await start(t);
  const id = simulator.credentials.phoneNumberId;
  simulator.putNumber({ id, throughputLevel: 'HIGH', qualityRating: 'YELLOW' });
  const fields = 'throughput,quality_rating,display_phone_number,messaging_limit_tier';
  t.same((await graph(simulator, 'GET', `${id}?fields=${fields}`)).body, {
    id,
    throughput: { level: 'HIGH' },
    quality_rating: 'YELLOW',
    display_phone_number: '15550000001',
    messaging_limit_tier: 'TIER_100K',
  });
  t.match((await graph(simulator, 'GET', `${id}?fields=mood`)).body.error, {
    code: 100,
    message: /nonexisting field/,
  });
  t.equal((await graph(simulator, 'GET', '999')).body.error?.error_subcode, 33);
});

t.test('an account lists its numbers, templates page by page, and its subscribed apps', async (t) => {
  const simulator = await start(t);
  const account = simulator.credentials.businessAccountId;
  t.match((await graph(simulator, 'GET', `${account}/phone_numbers`)).body.data, [{ verified_name: /./ }]);
  const names: string[] = [];
  let path: string | undefined = `${account}/message_templates?limit=2`;
  let pages = 0;
  while (path) {
    const { body } = await graph(simulator, 'GET', path);
    names.push(...(body.data as { name: string }[]).map(({ name }) => name));
    const { next } = body.paging as { next?: string };
    path = next?.split('/v23.0/')[1];
    pages += 1;
  }
  t.same(names, ['hello_world', 'order_update', 'login_code', 'offer']);
  t.equal(pages, 2);
  const apps = async () =>
    ((await graph(simulator, 'GET', `${account}/subscribed_apps`)).body.data as unknown[]).length;
  t.equal(await apps(), 1);
  t.same((await graph(simulator, 'DELETE', `${account}/subscribed_apps`)).body, { success: true });
  t.equal(await apps(), 0);
  t.same((await graph(simulator, 'POST', `${account}/subscribed_apps`)).body, { success: true });
  t.equal(await apps(), 1);
  t.equal((await graph(simulator, 'DELETE', `${account}/message_templates?name=offer`)).status, 200);
  t.equal(
    (await graph(simulator, 'DELETE', `${account}/message_templates?name=offer`)).body.error?.code,
    100,
  );
});

t.test('without the token there is nothing to see', async (t) => {
  const simulator = await start(t);
  const answer = await fetch(`${simulator.url}/v23.0/${simulator.credentials.phoneNumberId}`);
  t.equal(answer.status, 401);
  t.match(await answer.json(), { error: { code: 190 } });
});

t.test('a template can be put as a test needs it, and a new status is told by a webhook', async (t) => {
  const receiver = await startReceiver(t);
  const simulator = await start(t, { webhookUrl: receiver.url });
  const before = simulator.putTemplate({
    name: 'news',
    category: 'MARKETING',
    components: [{ type: 'BODY', text: 'Hello {{1}}.' }],
  });
  t.match(before, { language: 'en_US', status: 'APPROVED' });
  const message = {
    type: 'template',
    template: {
      name: 'news',
      language: { code: 'en_US' },
      components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
    },
  };
  t.equal((await send(simulator, message)).status, 200);
  t.match(simulator.putTemplate({ name: 'news', status: 'PAUSED' }), {
    id: before.id,
    category: 'MARKETING',
  });
  t.equal((await send(simulator, message)).body.error?.code, 132015);
  await simulator.waitForIdle();
  t.match(
    receiver.values().filter((value) => value.message_template_name === 'news'),
    [{ event: 'APPROVED' }, { event: 'PAUSED' }],
  );
});

t.test('a file belongs to the number that uploaded it, and uploads can be made to fail', async (t) => {
  const simulator = await start(t);
  const { url, credentials } = simulator;
  simulator.putNumber({ id: '42' });
  const upload = async () => {
    const form = new FormData();
    form.set('messaging_product', 'whatsapp');
    form.set('type', 'image/png');
    form.set('file', new Blob([Buffer.from('a picture')], { type: 'image/png' }), 'x.png');
    const answer = await fetch(`${url}/${credentials.phoneNumberId}/media`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credentials.accessToken}` },
      body: form,
    });
    return (await answer.json()) as { id: string; error?: { code: number } };
  };
  simulator.addFault({ kind: 'error', code: 131053, type: 'media', count: 1 });
  t.equal((await upload()).error?.code, 131053);
  const { id } = await upload();
  t.equal(simulator.statistics().mediaUploads, 1);
  const body = { messaging_product: 'whatsapp', to: '15551230001', type: 'image', image: { id } };
  t.equal((await graph(simulator, 'POST', `${credentials.phoneNumberId}/messages`, body)).status, 200);
  t.equal((await graph(simulator, 'POST', '42/messages', body)).body.error?.code, 131009);
  t.ok(simulator.removeMedia(id));
  t.equal(
    (await graph(simulator, 'POST', `${credentials.phoneNumberId}/messages`, body)).body.error?.code,
    131009,
  );
});

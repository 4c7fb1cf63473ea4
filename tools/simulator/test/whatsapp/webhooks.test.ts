import t from 'tap';
import { signBody, startSimulator } from '../../src/index.ts';
import { graph, send, startBoth } from '../helper.ts';

t.test('the signature of a body is the one that others compute', async (t) => {
  t.equal(
    signBody('what do ya want for nothing?', 'Jefe'),
    'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    'RFC 4231, test case 2',
  );
});

t.test('an accepted message is sent, delivered and read, signed, with its opaque data', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  const { body } = await send(simulator, { biz_opaque_callback_data: 'm"1:1' });
  await simulator.waitForIdle();
  const statuses = receiver.all('statuses');
  t.same(
    statuses.map(({ status }) => status),
    ['sent', 'delivered', 'read'],
  );
  for (const status of statuses) {
    t.match(status, {
      id: body.messages?.[0]?.id as string,
      recipient_id: '15551230001',
      recipient_user_id: /^US\.\d+$/,
      biz_opaque_callback_data: 'm"1:1',
      timestamp: /^\d{10}$/,
    });
    t.notOk('conversation' in status);
  }
  t.equal(statuses.filter((status) => 'pricing' in status).length, 1, 'pricing is told once');
  for (const { headers, body: raw } of receiver.posts) {
    t.equal(headers['x-hub-signature-256'], signBody(raw, simulator.credentials.appSecret));
  }
  t.equal(simulator.accepted()[0]?.status, 'read');
});

t.test('updates share a POST up to the maximum', async (t) => {
  const { simulator, receiver } = await startBoth(t, { settings: { webhooks: { maxUpdatesPerPost: 4 } } });
  const ids = simulator.inject(Array.from({ length: 10 }, (_, n) => ({ from: `1555000${n}`, text: `${n}` })));
  await simulator.waitForIdle();
  t.equal(receiver.posts.length, 3);
  t.same(
    receiver
      .all('messages')
      .map(({ id }) => id)
      .sort(),
    ids.sort(),
  );
  t.match(receiver.values()[0], { contacts: { length: 4 } });
});

t.test(
  'a failed POST is retried at once, then ever later, with the same bytes, until it is answered with 200',
  async (t) => {
    const { simulator, receiver } = await startBoth(t, { settings: { webhooks: { retryBaseMs: 60 } } });
    receiver.answer = (_post, n) => (n < 5 ? 500 : 200);
    simulator.inject({ from: '15551230001', text: 'hi' });
    await simulator.waitForIdle();
    t.equal(receiver.posts.length, 5);
    t.equal(new Set(receiver.posts.map(({ body }) => body)).size, 1);
    const pauses = receiver.posts
      .slice(1)
      .map(({ atMs }, index) => atMs - (receiver.posts[index]?.atMs ?? 0));
    t.ok((pauses[1] as number) >= 40, 'the second retry waits');
    t.ok((pauses[3] as number) > (pauses[1] as number), 'later ones wait longer');
    t.match(simulator.statistics().webhooks, {
      delivered: 1,
      failed: 4,
      droppedUpdates: 0,
      pendingUpdates: 0,
    });
  },
);

t.test('a receiver that never answers is given up on after the time-out, and retried', async (t) => {
  const { simulator, receiver } = await startBoth(t, { settings: { webhooks: { timeoutMs: 100 } } });
  receiver.answer = (_post, n) => (n === 1 ? undefined : 200);
  simulator.inject({ from: '15551230001', text: 'hi' });
  await simulator.waitForIdle();
  t.match(simulator.statistics().webhooks, { delivered: 1, failed: 1 });
});

t.test('other webhooks go on while one is retried', async (t) => {
  const { simulator, receiver } = await startBoth(t, {
    settings: { webhooks: { maxUpdatesPerPost: 1, retryBaseMs: 200 } },
  });
  receiver.answer = ({ body }, n) => (body.includes('poison') && n < 8 ? 500 : 200);
  simulator.inject(['poison', 'a', 'b', 'c'].map((text) => ({ from: '15551230001', text })));
  await simulator.waitForIdle();
  const texts = receiver.all('messages').map(({ text }) => (text as { body: string }).body);
  t.ok(texts.indexOf('c') < texts.lastIndexOf('poison'));
  t.equal(simulator.statistics().webhooks.deliveredUpdates, 4);
});

t.test('what waits is bounded: the oldest is dropped and counted', async (t) => {
  const { simulator, receiver } = await startBoth(t, {
    settings: { webhooks: { paused: true, maxPendingUpdates: 10 } },
  });
  simulator.inject(Array.from({ length: 25 }, (_, n) => ({ from: '15551230001', text: `${n}` })));
  t.match(simulator.statistics().webhooks, { pendingUpdates: 10, droppedUpdates: 15 });
  simulator.changeSettings({ webhooks: { paused: false } });
  await simulator.waitForIdle();
  t.match(receiver.all('messages')[0], { text: { body: '15' } });
  t.equal(receiver.all('messages').length, 10);
});

t.test('a webhook too old is dropped', async (t) => {
  const { simulator, receiver } = await startBoth(t, { settings: { webhooks: { retryForMs: 0 } } });
  receiver.answer = () => 500;
  simulator.inject({ from: '15551230001', text: 'hi' });
  await simulator.waitForIdle();
  t.match(simulator.statistics().webhooks, { delivered: 0, droppedUpdates: 1, pendingUpdates: 0 });
});

t.test('losses, duplicates and withheld receipts are as asked for, and logged', async (t) => {
  const { simulator, receiver } = await startBoth(t, { settings: { statuses: { duplicateRate: 1 } } });
  await send(simulator, { biz_opaque_callback_data: 'a:1' });
  await simulator.waitForIdle();
  t.equal(receiver.all('statuses').length, 6, 'each twice');
  simulator.changeSettings({ statuses: { duplicateRate: 0, lossRate: 1 } });
  await send(simulator, { biz_opaque_callback_data: 'b:1' });
  await simulator.waitForIdle();
  simulator.changeSettings({ statuses: { lossRate: 0, withholdRate: 1 } });
  await send(simulator, { biz_opaque_callback_data: 'c:1' });
  await simulator.waitForIdle();
  t.equal(receiver.all('statuses').length, 6, 'nothing more');
  t.same(simulator.statistics().incidents, {
    'receipt-duplicated': 3,
    'receipt-lost': 3,
    'withhold-receipts': 1,
  });
  t.match(simulator.incidents().at(-1), {
    kind: 'withhold-receipts',
    messageId: 'c',
    attempt: 1,
    accepted: true,
  });
});

t.test('shuffled statuses arrive out of order at least once', async (t) => {
  const { simulator, receiver } = await startBoth(t, {
    settings: { statuses: { shuffle: true, readDelayMs: 100 }, webhooks: { maxUpdatesPerPost: 1 } },
  });
  await Promise.all(Array.from({ length: 20 }, () => send(simulator)));
  await simulator.waitForIdle();
  const orders = new Map<unknown, unknown[]>();
  for (const { id, status } of receiver.all('statuses')) orders.set(id, [...(orders.get(id) ?? []), status]);
  t.equal(orders.size, 20);
  t.ok([...orders.values()].some((order) => order.join() !== 'sent,delivered,read'));
});

t.test('a failed status carries the error and reveals no user id', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  simulator.addFault({ kind: 'fail', to: '+15551230001', code: 131026 });
  await send(simulator);
  simulator.changeSettings({ window: { mode: 'fail' } });
  await send(simulator, { to: '15551230002' });
  await simulator.waitForIdle();
  const [first, second] = receiver.all('statuses');
  t.match(first, { status: 'failed', errors: [{ code: 131026, title: 'Message undeliverable' }] });
  t.notOk('recipient_user_id' in (first ?? {}));
  t.notOk('contacts' in (receiver.values()[0] ?? {}));
  t.match(second, { status: 'failed', errors: [{ code: 131047 }] });
});

t.test('a message may be sent before it fails', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  simulator.addFault({ kind: 'fail', afterSent: true });
  await send(simulator);
  await simulator.waitForIdle();
  t.match(receiver.all('statuses'), [{ status: 'sent' }, { status: 'failed', errors: [{ code: 131026 }] }]);
  t.match(simulator.incidents(), [{ kind: 'fail', accepted: true, code: 131026 }]);
});

t.test('inbound messages of every kind have the shape that the provider gives them', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  const from = '+1 555 123 0001';
  simulator.inject([
    { from, name: 'Ana', username: 'ana', text: 'hi', replyTo: 'wamid.a', referral: { source_type: 'ad' } },
    { from, buttonReply: { id: 'y', title: 'Yes' } },
    { from, listReply: { id: 'r', title: 'Row', description: 'd' } },
    { from, flowReply: { answer: 42 } },
    { from, templateButton: { payload: 'P', text: 'Stop' } },
    { from, reaction: { messageId: 'wamid.a' } },
    { from, type: 'image', caption: 'c' },
    { from, type: 'unsupported' },
    { from, type: 'system', content: { type: 'user_changed_number', wa_id: '1' }, withoutContact: true },
    { from, type: 'hologram', content: { depth: 3 } },
    { from, type: 'interactive', valueErrors: [{ code: 131000 }] },
    { userId: 'US.777', text: 'no phone' },
    { from, hidePhone: true, text: 'hidden' },
  ]);
  await simulator.waitForIdle();
  const messages = receiver.all('messages');
  t.match(messages[0], {
    from: '15551230001',
    from_user_id: /^US\./,
    type: 'text',
    text: { body: 'hi' },
    context: { id: 'wamid.a', from: '15550000001' },
    referral: { source_type: 'ad' },
    timestamp: /^\d{10}$/,
  });
  t.match(messages[1], {
    type: 'interactive',
    interactive: { type: 'button_reply', button_reply: { id: 'y' } },
  });
  t.match(messages[2], { interactive: { type: 'list_reply', list_reply: { description: 'd' } } });
  t.match(messages[3], { interactive: { type: 'nfm_reply', nfm_reply: { response_json: '{"answer":42}' } } });
  t.match(messages[4], { type: 'button', button: { payload: 'P', text: 'Stop' } });
  t.same(messages[5]?.reaction, { message_id: 'wamid.a' });
  t.match(messages[6], { image: { mime_type: 'image/png', id: /^\d+$/, sha256: /=$/, caption: 'c' } });
  t.match(messages[7], { type: 'unsupported', errors: [{ code: 131051 }] });
  t.match(messages[8], { system: { type: 'user_changed_number' } });
  t.match(messages[9], { type: 'hologram', hologram: { depth: 3 } });
  t.notOk('interactive' in (messages[10] ?? {}));
  for (const index of [11, 12]) t.notOk('from' in (messages[index] ?? {}), 'no phone number');
  t.equal(messages[11]?.from_user_id, 'US.777');
  t.match(receiver.values()[0], {
    errors: [{ code: 131000 }],
    metadata: { phone_number_id: '100000000000001' },
  });
});

t.test('a person without name or number, and an unknown business number, are refused whole', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  t.throws(() => simulator.inject([{ from: '1', text: 'a' }, { text: 'b' }]), {
    code: 'SIMULATOR_PERSON_MISSING',
  });
  t.throws(() => simulator.inject({ from: '1', phoneNumberId: '2' }), { code: 'SIMULATOR_NUMBER_UNKNOWN' });
  await simulator.waitForIdle();
  t.equal(receiver.posts.length, 0);
});

t.test('a created template is reviewed, told of by webhook and can then be sent', async (t) => {
  const { simulator, receiver } = await startBoth(t);
  simulator.changeSettings({ templates: { reviewDelayMs: 0 } });
  const told = new Promise<void>((resolve) => {
    receiver.answer = () => {
      resolve();
      return 200;
    };
  });
  const path = `${simulator.credentials.businessAccountId}/message_templates`;
  const template = {
    name: 'bye',
    language: 'en',
    category: 'UTILITY',
    components: [{ type: 'BODY', text: 'Bye {{1}}' }],
  };
  t.match((await graph(simulator, 'POST', path, template)).body, { status: 'PENDING' });
  t.equal((await graph(simulator, 'POST', path, template)).body.error?.code, 100, 'a name exists once');
  await told;
  t.match(receiver.values()[0], { event: 'APPROVED', message_template_name: 'bye', reason: null });
  const content = {
    name: 'bye',
    language: { code: 'en' },
    components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
  };
  t.equal((await send(simulator, { type: 'template', template: content })).status, 200);
});

t.test('the handshake tells whether the webhook answers as it must', async (t) => {
  const { simulator } = await startBoth(t);
  t.same(await simulator.verifyWebhook(), { ok: true, statusCode: 200 });
  const other = await startSimulator({ webhookUrl: simulator.settings.webhooks.url, verifyToken: 'wrong' });
  t.teardown(() => other.close());
  t.match(await other.verifyWebhook(), { ok: false, statusCode: 403 });
  other.changeSettings({ webhooks: { url: 'http://127.0.0.1:1/' } });
  t.match(await other.verifyWebhook(), { ok: false, problem: 'ECONNREFUSED' });
});

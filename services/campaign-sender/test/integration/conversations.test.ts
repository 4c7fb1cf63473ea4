import type { JobToAdd } from '@switchyard/jobs';
import { createSqliteDatabase, eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const handovers = async (stage: Stage) =>
  (await stage.queued('flows')).filter(({ name }) => name === 'set-handover').map(({ payload }) => payload);

void eachDatabase(
  t,
  'a person replies, which hands the conversation over, and gives it back to automation',
  async (t, database) => {
    const stage = await startStage(t, database);
    const id = await stage.greet('15551234200');
    const url = `/api/v1/conversations/${id}`;
    t.match((await stage.call('GET', url)).body.data, { handler: 'automation', unreadCount: 1 });
    const reply = () =>
      stage.call(
        'POST',
        `${url}/messages`,
        { content: 'A human here.', userId: 'eva' },
        { 'idempotency-key': 'r1' },
      );
    const first = await reply();
    t.equal(first.status, 202);
    t.strictSame((await reply()).body, first.body, 'the same request is the same message');
    t.match((await stage.call('GET', url)).body.data, {
      handler: 'person',
      handlerUserId: 'eva',
      unreadCount: 0,
      lastMessage: { id: first.body.data.id, direction: 'out' },
    });
    const [told] = await until(async () => {
      const jobs = await handovers(stage);
      return jobs.length > 0 && jobs;
    });
    t.match(told, { contactId: id, handler: 'person', byUser: 'eva', untilMs: Number });
    await until(() => stage.simulator.accepted({ to: '15551234200' }).length === 1, {
      what: 'the reply is sent',
    });

    stage.simulator.inject({ from: '15551234200', text: 'thank you' });
    const event = await until(async () =>
      (await stage.queued('flows')).find(({ payload }) => payload.sequence === 2 && payload),
    );
    t.match(event.payload, { handler: 'person', isFirstMessage: false });

    const messages = (await stage.call('GET', `${url}/messages?limit=2`)).body.data;
    t.match(messages.items, [
      { direction: 'in', sequence: 2, content: { text: { body: 'thank you' } } },
      { direction: 'out', sequence: null, origin: { kind: 'person', userId: 'eva' } },
    ]);
    const rest = (await stage.call('GET', `${url}/messages?limit=2&cursor=${messages.nextCursor}`)).body.data;
    t.match(rest, { items: [{ direction: 'in', sequence: 1 }], nextCursor: null });

    t.match((await stage.call('POST', `${url}/release`, {})).body.data, { handler: 'automation' });
    await until(async () => (await handovers(stage)).length === 2);
    t.equal((await stage.call('POST', `${url}/release`, {})).status, 200);
    t.match((await stage.call('POST', `${url}/take`, { minutes: 5, reason: 'a complaint' })).body.data, {
      handler: 'person',
      handlerReason: 'a complaint',
      handlerUntilMs: Number,
    });
    // What came before is read, so that the next message is the only one unread.
    await stage.call('POST', `${url}/read`, { silent: true });
    stage.simulator.inject({ from: '15551234200', text: 'one more' });
    await until(async () => (await stage.call('GET', url)).body.data.unreadCount === 1, {
      what: 'it is unread',
    });
    t.match((await stage.call('POST', `${url}/read`, { silent: true })).body.data, { unreadCount: 0 });
    t.equal(stage.simulator.statistics().businessReads, 0, 'nobody is told of what was read silently');
    const shown: string[] = [];
    stage.simulator.onEvent((event) => {
      if (event.kind === 'business-read') shown.push(`${event.messageId} ${event.typing}`);
    });
    const [wamid] = stage.simulator.inject({ from: '15551234200', text: 'and another' });
    await until(async () => (await stage.call('GET', url)).body.data.unreadCount === 1, {
      what: 'it is unread',
    });
    t.match((await stage.call('POST', `${url}/read`)).body.data, { unreadCount: 0 });
    await until(() => shown.length === 1, { what: 'the person sees that it was read', timeoutMs: 30_000 });
    t.equal((await stage.call('POST', `${url}/read`)).status, 200, 'twice is no news');
    t.equal((await stage.call('POST', `${url}/read`, { typing: true })).status, 200);
    await until(() => shown.length === 2, { what: 'and that somebody types', timeoutMs: 30_000 });
    t.strictSame(shown, [`${wamid} false`, `${wamid} true`]);
    t.match(await stage.call('POST', `${url}/read`, { typing: 'yes' }), {
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED' } },
    });
  },
);

t.test(
  'conversations are listed where the person wrote last first, by who has them, number and tag, page by page',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const ids: string[] = [];
    for (const phone of ['15551234201', '15551234202', '15551234203']) ids.push(await stage.greet(phone));
    await stage.call('POST', `/api/v1/contacts/${ids[1]}/tags`, { add: ['vip'] });
    await stage.call('POST', `/api/v1/conversations/${ids[2]}/take`, { userId: 'eva' });
    await stage.call('POST', '/api/v1/contacts', { phone: '+15551234209' });
    const list = async (query: string) => {
      const { body, status } = await stage.call('GET', `/api/v1/conversations?${query}`);
      t.equal(status, 200, query);
      return body.data;
    };
    const idsOf = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id);
    t.strictSame(await idsOf(''), ids.toReversed(), 'who never wrote has none');
    const first = await list('limit=2');
    t.strictSame(await idsOf(`limit=2&cursor=${first.nextCursor}`), [ids[0]]);
    t.strictSame(await idsOf('handler=person'), [ids[2]]);
    t.strictSame(await idsOf('handlerUserId=eva'), [ids[2]]);
    t.strictSame(await idsOf('handler=automation'), [ids[1], ids[0]]);
    t.strictSame(await idsOf('tag=vip'), [ids[1]]);
    t.strictSame(await idsOf(`senderId=${first.items[0].windows[0].senderId}`), ids.toReversed());
    t.strictSame(await idsOf('senderId=nobody'), []);
    await stage.call('POST', `/api/v1/conversations/${ids[0]}/read`);
    t.strictSame(await idsOf('unread=true'), [ids[2], ids[1]]);
    t.match(await stage.call('GET', '/api/v1/conversations?cursor=eHh4'), {
      status: 400,
      body: { error: { code: 'CURSOR_INVALID' } },
    });
    t.equal((await stage.call('GET', '/api/v1/conversations/con_none')).status, 404);
  },
);

t.test('a handover ends by itself, and a flow can ask for one', async (t) => {
  const stage = await startStage(t, await createSqliteDatabase(t));
  const contactId = await stage.greet('15551234204');
  const ask = (effectId: string, payload: object): JobToAdd =>
    ({
      queue: 'contacts',
      name: 'set-handover',
      payload: { merchantId: 'default', contactId, effectId, ...payload },
    }) as JobToAdd;
  const view = async () => (await stage.call('GET', `/api/v1/conversations/${contactId}`)).body.data;
  await stage.ingress.add(ask('e1', { handler: 'person', runId: 'run_1', reason: 'asked for a human' }));
  await until(async () => (await view()).handler === 'person');
  t.match(await view(), { handlerReason: 'asked for a human', handlerUserId: 'flow:run_1' });
  await stage.ingress.add(ask('e2', { handler: 'person', untilMs: 1 }));
  await until(async () => (await view()).handler === 'automation');
  t.strictSame(await handovers(stage), [], 'the flow that asked knows already');
});

t.test(
  'what the business writes from its own phone is part of the conversation, and hands it over',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    const id = await stage.greet('15551234205');
    await stage.ingress.add({
      queue: 'inbound',
      name: 'receive-message',
      payload: {
        merchantId: 'default',
        eventId: 'evt_echo',
        phoneNumberId: '100000000000001',
        field: 'smb_message_echoes',
        message: {
          from: '15550000000',
          to: '15551234205',
          id: 'wamid.e',
          type: 'text',
          text: { body: 'From the shop' },
        },
        occurredAtMs: 1,
        receivedAtMs: 1,
      },
    });
    const url = `/api/v1/conversations/${id}`;
    await until(async () => (await stage.call('GET', url)).body.data.handler === 'person');
    t.match((await stage.call('GET', `${url}/messages`)).body.data.items, [
      { direction: 'out', state: 'sent', origin: { kind: 'person', userId: 'whatsapp-business-app' } },
      { direction: 'in' },
    ]);
    t.equal(
      (await stage.call('GET', '/api/v1/contacts')).body.data.items.length,
      1,
      'the business is nobody’s contact',
    );
  },
);

void eachDatabase(
  t,
  'the answer to a campaign’s message says so, whether it quotes it or not',
  async (t, database) => {
    const stage = await startStage(t, database);
    const { db } = stage.service.database;
    const phone = '15551234206';
    await stage.greet(phone);
    const send = async (messageId: string, more: object) => {
      await stage.ingress.add({
        queue: 'messages',
        name: 'send-message',
        payload: { messageId, to: phone, content: `text of ${messageId}`, ...more },
      });
      const sent = await stage.simulator.waitForAccepted((each) => each.messageId === messageId, 30_000);
      // Its answer is written: from then on it can be answered.
      await until(
        async () =>
          (
            await db
              .selectFrom('message_attempts')
              .select('providerMessageId')
              .where('messageId', '=', messageId)
              .executeTakeFirst()
          )?.providerMessageId,
        { what: `${messageId} is taken` },
      );
      return sent.wamid;
    };
    let sequence = 1;
    const answer = async (more: object = {}) => {
      sequence += 1;
      stage.simulator.inject({ from: phone, text: `yes ${sequence}`, ...more });
      const { payload } = await until(async () =>
        (await stage.queued('flows')).find((job) => job.payload.sequence === sequence),
      );
      return payload.campaignId;
    };
    const campaign = {
      lane: 'campaign',
      origin: { kind: 'campaign', campaignId: 'cam_1', recipientId: 'r' },
    };
    const hours = (campaignReplyHours: number) =>
      stage.call('PATCH', '/api/v1/settings/people', { campaignReplyHours });

    t.equal(await answer(), undefined, 'no campaign has written');
    const offer = await send('m_campaign', campaign);
    t.equal(await answer({ replyTo: offer }), 'cam_1', 'quoted');
    t.equal(await answer(), 'cam_1', 'not quoted');
    const shipped = await send('m_shipped', { lane: 'transactional', origin: { kind: 'api' } });
    t.equal(await answer(), 'cam_1', 'a message of another matter has come in between');
    t.equal(await answer({ replyTo: shipped }), undefined, 'another message is quoted');
    t.equal((await hours(0)).status, 200);
    t.equal(await answer(), undefined, 'never, if the merchant wants it so');
    await hours(24);
    await db
      .updateTable('messages')
      .set((eb) => ({ createdAtMs: eb('createdAtMs', '-', 25 * 3_600_000) }))
      .where('id', '=', 'm_campaign')
      .execute();
    t.equal(await answer(), undefined, 'too long ago');
    t.equal(await answer({ replyTo: offer }), 'cam_1', 'but a quote tells at any time');
    await send('m_second', { ...campaign, origin: { ...campaign.origin, campaignId: 'cam_2' } });
    t.equal(await answer(), 'cam_2', 'the latest campaign is meant');
    await send('m_flow', { lane: 'flow', origin: { kind: 'flow', runId: 'run_1', stepId: 's1' } });
    t.equal(await answer(), undefined, 'a flow has written since');
  },
);

t.test(
  'a run is asked for by address or tag: one for each contact, once, but not for who wants no messages',
  async (t) => {
    const stage = await startStage(t, await createSqliteDatabase(t));
    for (const index of [1, 2, 3]) {
      const { body } = await stage.call('POST', '/api/v1/contacts', {
        phone: `+1555123430${index}`,
        tags: ['vip'],
      });
      if (index === 3)
        t.match((await stage.call('POST', `/api/v1/contacts/${body.data.id}/opt-out`)).body.data, {
          optedOut: true,
        });
    }
    const ask = (startId: string, payload: object, jobId: string): JobToAdd =>
      ({
        queue: 'contacts',
        name: 'request-run',
        payload: { merchantId: 'default', startId, flowId: 'flo_1', ...payload },
        options: { jobId },
      }) as JobToAdd;
    await stage.ingress.add(ask('sta_1', { tag: 'vip', input: { code: 'X' } }, 'a'));
    await stage.ingress.add(ask('sta_1', { tag: 'vip', input: { code: 'X' } }, 'b'));
    await stage.ingress.add(ask('sta_2', { to: '+49 1511 2345678' }, 'c'));
    const starts = await until(async () => {
      const jobs = (await stage.queued('flows')).filter(({ name }) => name === 'start-run');
      return jobs.length >= 3 && jobs.map(({ payload }) => payload);
    });
    t.equal(starts.length, 3);
    t.match(starts.map(({ contact }) => (contact as { phone: string }).phone).toSorted(), [
      '+15551234301',
      '+15551234302',
      '+4915112345678',
    ]);
  },
);

import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Stage, startStage } from '../helper.ts';

const WABA = '200000000000001';
const env = { WHATSAPP_BUSINESS_ACCOUNT_ID: WABA };
const texts = (...values: string[]) => values.map((text) => ({ type: 'text', text }));
const template = (name: string, ...components: object[]) => ({
  type: 'template',
  content: { name, language: { code: 'en_US' }, components },
});
const orderUpdate = template(
  'order_update',
  { type: 'body', parameters: texts('Ana', '17') },
  { type: 'button', sub_type: 'url', index: '0', parameters: texts('17') },
);

async function synced(stage: Stage): Promise<void> {
  await until(
    async () => (await stage.call('GET', '/api/v1/templates?name=hello_world')).body.data.items.length === 1,
    { what: 'the templates are read' },
  );
}

const statusOf = async (stage: Stage, name: string) =>
  (await stage.call('GET', `/api/v1/templates?name=${name}`)).body.data.items[0]?.status;

void eachDatabase(
  t,
  'templates are read page by page, and messages are held to them before they are queued',
  async (t, database) => {
    const stage = await startStage(t, database, { env });
    for (let index = 0; index < 130; index += 1)
      stage.simulator.putTemplate({ name: `filler_${index}`, status: 'PENDING' });
    await synced(stage);
    const report = await stage.call('POST', '/api/v1/templates/sync', { wabaId: WABA });
    t.match(report.body.data.accounts, [{ wabaId: WABA, numbers: 1, templates: 134, problem: null }]);
    const listed = await stage.call('GET', '/api/v1/templates?status=APPROVED&limit=3');
    t.equal(listed.body.data.items.length, 3);
    t.ok(listed.body.data.nextCursor);
    const [found] = (await stage.call('GET', '/api/v1/templates?name=order_update')).body.data.items;
    const detail = await stage.call('GET', `/api/v1/templates/${found.id}`);
    t.match(detail.body.data.parameters, [
      { component: 'body', name: '1' },
      { component: 'body', name: '2' },
      { component: 'button 0', name: '1' },
    ]);

    const lists = async () =>
      (await stage.queued('flows'))
        .filter(({ name }) => name === 'set-templates')
        .map(({ payload }) => payload as { revision: number; templates: { name: string; status: string }[] })
        .toSorted((a, b) => a.revision - b.revision);
    const told = await until(async () => (await lists()).at(-1), { what: 'flows are told' });
    t.equal(told.templates.length, 134, 'of all, once the account was read whole');
    t.match(
      told.templates.find(({ name }) => name === 'order_update'),
      { language: 'en_US', status: 'APPROVED', parameters: { body: 2, buttons: 1 } },
    );
    stage.simulator.putTemplate({ name: 'filler_7', status: 'REJECTED' });
    await until(
      async () => {
        const last = (await lists()).at(-1)!;
        return (
          last.revision > told.revision &&
          last.templates.some(({ name, status }) => name === 'filler_7' && status === 'REJECTED')
        );
      },
      { what: 'flows are told of a change', timeoutMs: 30_000 },
    );

    const to = '+4915112345678';
    const refused: [string, string, object][] = [
      ['TEMPLATE_UNKNOWN', 'content.name', template('nobody_knows')],
      [
        'TEMPLATE_PARAMETERS_INVALID',
        'content.components.0.parameters',
        template('order_update', { type: 'body', parameters: texts('Ana') }),
      ],
      [
        'TEMPLATE_PARAMETERS_INVALID',
        'content.components',
        template('order_update', { type: 'body', parameters: texts('Ana', '17') }),
      ],
    ];
    for (const [code, field, body] of refused)
      t.match(await stage.call('POST', '/api/v1/messages', { to, ...body }), {
        status: 422,
        body: { error: { code: 'MESSAGE_INVALID', details: { code, field, index: 0 } } },
      });
    const login = template(
      'login_code',
      { type: 'body', parameters: texts('4711') },
      { type: 'button', sub_type: 'url', index: '0', parameters: texts('4711') },
    );
    t.match(await stage.call('POST', '/api/v1/messages', { to: 'US.13491208655302741918', ...login }), {
      status: 422,
      body: { error: { details: { code: 'PHONE_REQUIRED', field: 'to' } } },
    });
    const all = await stage.call('POST', '/api/v1/messages/check', {
      messages: [
        { to, ...orderUpdate },
        { to: 'abc', content: 'x' },
        { to, content: 'x' },
      ],
    });
    t.match(all.body.data.problems, [{ index: 1, code: 'ADDRESS_INVALID', field: 'to' }]);
    t.match((await stage.call('POST', '/api/v1/messages/check', { to, content: 'x' })).body.data.problems, [
      { index: 0, code: 'WINDOW_CLOSED', field: 'type' },
    ]);
    t.same((await stage.call('GET', '/api/v1/messages')).body.data.items, [], 'nothing was recorded');

    t.equal((await stage.call('POST', '/api/v1/messages', { to, ...orderUpdate })).status, 202);
    t.equal((await stage.call('POST', '/api/v1/messages', { to, ...login })).status, 202);
    await stage.simulator.waitForAccepted((message) => message.type === 'template');
    await until(async () => stage.simulator.accepted().length === 2, { what: 'both are accepted' });
  },
);

void eachDatabase(
  t,
  "a webhook of a template's status holds its messages and lets them go, one language alone",
  async (t, database) => {
    const stage = await startStage(t, database, { env });
    stage.simulator.putTemplate({ name: 'order_update', language: 'de_DE', status: 'APPROVED' });
    await synced(stage);
    stage.simulator.putTemplate({ name: 'hello_world', status: 'PAUSED' });
    await until(async () => (await statusOf(stage, 'hello_world')) === 'PAUSED', { what: 'it is paused' });
    const to = '+4915112345678';
    const sent = await stage.call('POST', '/api/v1/messages', { to, ...template('hello_world') });
    t.equal(sent.status, 202, 'a paused template does not refuse its messages');
    const { id } = sent.body.data.messages[0];
    await stage.call('POST', '/api/v1/messages', { to, ...orderUpdate });
    await stage.simulator.waitForAccepted(({ payload }) => JSON.stringify(payload).includes('order_update'));
    const { db } = stage.service.database;
    const row = await db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    t.match(row, { state: 'queued', attempts: 0 });

    stage.simulator.putTemplate({ name: 'hello_world', status: 'APPROVED' });
    await until(async () => (await statusOf(stage, 'hello_world')) === 'APPROVED', {
      what: 'it is released',
    });
    await stage.simulator.waitForAccepted(({ messageId }) => messageId === id, 30_000);

    stage.simulator.putTemplate({ name: 'hello_world', status: 'DISABLED' });
    await until(async () => (await statusOf(stage, 'hello_world')) === 'DISABLED', {
      what: 'it is disabled',
    });
    t.match(await stage.call('POST', '/api/v1/messages', { to, ...template('hello_world') }), {
      status: 422,
      body: { error: { details: { code: 'TEMPLATE_NOT_SENDABLE' } } },
    });
  },
);

void eachDatabase(
  t,
  'outside the window a message goes out as the template that its caller has named',
  async (t, database) => {
    const stage = await startStage(t, database, { env });
    await synced(stage);
    const templateFallback = orderUpdate.content;
    const stranger = '+4915112345679';
    t.match(
      await stage.call('POST', '/api/v1/messages', {
        to: stranger,
        content: 'hello',
        templateFallback: { ...templateFallback, components: [] },
      }),
      { status: 422, body: { error: { details: { field: 'templateFallback.components' } } } },
    );
    const sent = await stage.call('POST', '/api/v1/messages', {
      to: stranger,
      content: 'hello',
      templateFallback,
    });
    const { id } = sent.body.data.messages[0];
    await stage.simulator.waitForAccepted(({ messageId, type }) => messageId === id && type === 'template');
    t.match((await stage.call('GET', `/api/v1/messages/${id}`)).body.data, {
      type: 'template',
      templateFallback: null,
      replaced: { type: 'text', content: { body: 'hello' } },
    });

    // The provider may know better than we do.
    await stage.greet('15551230001');
    stage.simulator.addFault({ kind: 'error', code: 131047, type: 'text', count: 1 });
    const open = await stage.call('POST', '/api/v1/messages', {
      to: '15551230001',
      content: 'hello',
      templateFallback,
    });
    const second = open.body.data.messages[0].id;
    const accepted = await stage.simulator.waitForAccepted(({ messageId }) => messageId === second, 20_000);
    t.match(accepted, { type: 'template', attempt: 2 });
  },
);

import t from 'tap';
import { graph, send, start, startBoth } from '../helper.ts';

const button = (id: string, title = 'Yes') => ({ type: 'reply', reply: { id, title } });
const interactive = (fields: object) => ({ type: 'interactive', text: undefined, interactive: fields });
const template = (name: string, components?: object[], code = 'en_US') => ({
  type: 'template',
  text: undefined,
  template: { name, language: { code }, ...(components ? { components } : {}) },
});
const words = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }));

t.test('an unsound send is refused with the code that the provider gives', async (t) => {
  const simulator = await start(t);
  const cases: [name: string, fields: Record<string, unknown>, code: number, text: RegExp][] = [
    ['no messaging_product', { messaging_product: undefined }, 100, /messaging_product is required/],
    ['another product', { messaging_product: 'sms' }, 100, /must be one of/],
    ['no recipient', { to: undefined }, 100, /parameter to is required/],
    ['a recipient that is no number', { to: 'ana' }, 131009, /not valid/],
    ['a user id that is none', { to: undefined, recipient: 'ana' }, 131009, /not valid/],
    ['the sender itself', { to: '15550000001' }, 131021, /cannot be sender/],
    ['an unknown type', { type: 'hologram' }, 100, /Param type must be one of/],
    ['no body', { text: {} }, 100, /text\['body'\] is required/],
    ['a body that is too long', { text: { body: 'x'.repeat(4097) } }, 100, /at most 4096/],
    ['an unknown key', { text: { body: 'x', color: 'red' } }, 100, /Unexpected key "color"/],
    ['opaque data that is too long', { biz_opaque_callback_data: 'x'.repeat(513) }, 100, /at most 512/],
    ['a context without a message', { context: {} }, 100, /context\['message_id'\]/],
    ['media without id or link', { type: 'image', image: {} }, 131008, /Required parameter/],
    ['media that does not exist', { type: 'image', image: { id: '1' } }, 131009, /not valid/],
    ['a link that is none', { type: 'image', image: { link: 'ftp:x' } }, 100, /valid URI/],
    [
      'a place off the map',
      { type: 'location', location: { latitude: 91, longitude: 0 } },
      131009,
      /not valid/,
    ],
    ['a contact without a name', { type: 'contacts', contacts: [{}] }, 100, /formatted_name/],
    ['a reaction without a message', { type: 'reaction', reaction: { emoji: 'x' } }, 100, /message_id/],
    ['no action', interactive({ type: 'button', body: { text: 'x' } }), 131008, /Required parameter/],
    [
      'four buttons',
      interactive({
        type: 'button',
        body: { text: 'x' },
        action: { buttons: ['1', '2', '3', '4'].map((id) => button(id)) },
      }),
      131009,
      /not valid/,
    ],
    [
      'a button title that is too long',
      interactive({
        type: 'button',
        body: { text: 'x' },
        action: { buttons: [button('1', 'x'.repeat(21))] },
      }),
      131009,
      /not valid/,
    ],
    [
      'a list of eleven rows',
      interactive({
        type: 'list',
        body: { text: 'x' },
        action: {
          button: 'Go',
          sections: [
            { title: 'All', rows: Array.from({ length: 11 }, (_, id) => ({ id: `${id}`, title: 'x' })) },
          ],
        },
      }),
      131009,
      /not valid/,
    ],
    ['a template that does not exist', template('nothing'), 132001, /does not exist/],
    ['a template in another language', template('hello_world', undefined, 'de'), 132001, /does not exist/],
    [
      'too few template parameters',
      template('order_update', [{ type: 'body', parameters: words('Ana') }]),
      132000,
      /does not match/,
    ],
    [
      'a header that the template has not',
      template('order_update', [{ type: 'header', parameters: words('x') }]),
      132000,
      /does not match/,
    ],
    [
      'a missing button parameter',
      template('order_update', [{ type: 'body', parameters: words('Ana', '1') }]),
      131008,
      /Required parameter/,
    ],
    [
      'a header of the wrong kind',
      template('offer', [
        { type: 'header', parameters: [{ type: 'video', video: { link: 'https://example.com/x' } }] },
      ]),
      132012,
      /format/,
    ],
  ];
  for (const [name, fields, code, text] of cases) {
    const { body } = await send(simulator, fields);
    t.equal(body.error?.code, code, name);
    t.match(body.error?.message, text, `${name}: message`);
    t.match(body.error?.message, `(#${code})`);
    t.match(body.error?.fbtrace_id, /^A[\w-]{22}$/);
  }
  t.equal(simulator.statistics().accepted, 0);
  t.equal(simulator.statistics().rejected, cases.length);
});

t.test('a wrong token, an unknown number and unreadable JSON are told apart', async (t) => {
  const simulator = await start(t);
  const { url, credentials } = simulator;
  const post = async (path: string, token: string, body: string) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
    });
    return { status: response.status, ...((await response.json()) as { error: Record<string, unknown> }) };
  };
  const path = `/${credentials.phoneNumberId}/messages`;
  t.match(await post(path, 'wrong', '{}'), { status: 401, error: { code: 190, type: 'OAuthException' } });
  t.match(await post('/v23.0/999/messages', credentials.accessToken, '{}'), {
    status: 400,
    error: { code: 100, error_subcode: 33, type: 'GraphMethodException' },
  });
  t.match(await post(path, credentials.accessToken, '{'), { status: 400, error: { code: 100 } });
  t.match(await post(path, credentials.accessToken, 'x'.repeat(1_100_000)), {
    status: 413,
    error: { code: 100 },
  });
});

t.test('every type of message that is sound is accepted', async (t) => {
  const simulator = await start(t);
  const link = 'https://example.com/x';
  const sound: Record<string, unknown>[] = [
    {},
    { type: 'image', image: { link, caption: 'x' } },
    { type: 'document', document: { link, filename: 'x.pdf' } },
    { type: 'audio', audio: { link } },
    { type: 'video', video: { link } },
    { type: 'sticker', sticker: { link } },
    { type: 'location', location: { latitude: 1, longitude: 2 } },
    { type: 'contacts', contacts: [{ name: { formatted_name: 'Ana' } }] },
    { type: 'reaction', reaction: { message_id: 'wamid.x', emoji: '' } },
    interactive({ type: 'button', body: { text: 'x' }, action: { buttons: [button('1'), button('2')] } }),
    interactive({
      type: 'cta_url',
      body: { text: 'x' },
      action: { name: 'cta_url', parameters: { display_text: 'Go', url: link } },
    }),
    template('hello_world'),
    template('order_update', [
      { type: 'body', parameters: words('Ana', '1') },
      { type: 'button', sub_type: 'url', index: '0', parameters: words('1') },
    ]),
    { to: undefined, recipient: 'US.13491208655302741918' },
  ];
  for (const fields of sound) {
    const { status, body } = await send(simulator, fields);
    t.equal(status, 200, String(fields.type ?? 'text'));
    t.match(body.messages?.[0]?.id, /^wamid\./);
  }
  t.equal(simulator.accepted().length, sound.length);
});

t.test('a send to a user id answers with it and without a phone number', async (t) => {
  const simulator = await start(t);
  const recipient = 'US.13491208655302741918';
  const { body } = await send(simulator, { to: undefined, recipient });
  t.same(body.contacts, [{ input: recipient, user_id: recipient }]);
  const both = await send(simulator, { to: '+1 555 123-0001', recipient });
  t.same(both.body.contacts, [{ input: '+1 555 123-0001', wa_id: '15551230001' }], 'to wins');
});

t.test('an authentication template with a button needs a phone number', async (t) => {
  const { simulator, receiver } = await startBoth(t, { settings: { templates: { reviewDelayMs: 0 } } });
  const reviewed = new Promise<void>((resolve) => {
    receiver.answer = () => {
      resolve();
      return 200;
    };
  });
  const code = template('code', [{ type: 'body', parameters: words('1') }]);
  await graph(simulator, 'POST', `${simulator.credentials.businessAccountId}/message_templates`, {
    name: 'code',
    language: 'en_US',
    category: 'AUTHENTICATION',
    components: [
      { type: 'BODY', text: '{{1}} is your code.' },
      { type: 'BUTTONS', buttons: [{ type: 'OTP' }] },
    ],
  });
  await reviewed;
  t.equal((await send(simulator, code)).status, 200);
  const toUserId = await send(simulator, { ...code, to: undefined, recipient: 'US.13491208655302741918' });
  t.equal(toUserId.body.error?.code, 131062);
});

t.test('read receipts and typing indicators succeed and count as no send', async (t) => {
  const simulator = await start(t);
  const path = `${simulator.credentials.phoneNumberId}/messages`;
  const read = { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.x' };
  t.same((await graph(simulator, 'POST', path, read)).body, { success: true });
  t.same((await graph(simulator, 'POST', path, { ...read, typing_indicator: { type: 'text' } })).body, {
    success: true,
  });
  t.equal((await graph(simulator, 'POST', path, { ...read, message_id: undefined })).body.error?.code, 100);
  t.match(simulator.statistics(), { accepted: 0, businessReads: 2 });
});

t.test('a free-form message needs an open window, a template does not', async (t) => {
  const simulator = await start(t, {
    settings: { window: { mode: 'reject' }, statuses: { enabled: false } },
  });
  t.match((await send(simulator)).body.error, { code: 131047, error_data: { details: /24 hours/ } });
  t.equal((await send(simulator, template('hello_world'))).status, 200);
  simulator.inject({ from: '15551230001', text: 'hi' });
  t.equal((await send(simulator)).status, 200, 'the person wrote');
  simulator.changeSettings({ window: { durationMs: 0 } });
  t.equal((await send(simulator)).body.error?.code, 131047, 'the window closed');
});

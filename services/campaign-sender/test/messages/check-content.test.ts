import t from 'tap';
import { checkContent, type MessageType } from '../../src/messages/content/check-content.ts';

const field = (type: MessageType, content: Record<string, unknown>) => checkContent(type, content)?.field;
const button = (id: string, title = id) => ({ type: 'reply', reply: { id, title } });
const interactive = (type: string, action: unknown, more: object = {}) => ({
  type,
  body: { text: 'Which one?' },
  action,
  ...more,
});
const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${from + index}`, title: `Row ${from + index}` }));

t.test('sound content of every kind passes', async (t) => {
  const sound: [MessageType, Record<string, unknown>][] = [
    ['text', { body: 'hello', preview_url: true }],
    ['image', { link: 'https://example.com/a.png', caption: 'a' }],
    ['image', { id: '123' }],
    ['document', { media: 'med_1', filename: 'a.pdf' }],
    ['audio', { id: '1', voice: true }],
    ['video', { id: '1' }],
    ['sticker', { id: '1' }],
    ['reaction', { message_id: 'wamid.X', emoji: '' }],
    ['location', { latitude: 52.5, longitude: 13.4, name: 'Berlin' }],
    [
      'contacts',
      {
        contacts: [
          { name: { formatted_name: 'Ana B', first_name: 'Ana' }, phones: [{ phone: '+4915112345678' }] },
        ],
      },
    ],
    ['interactive', interactive('button', { buttons: [button('a'), button('b')] })],
    ['interactive', interactive('list', { button: 'Choose', sections: [{ rows: rows(10) }] })],
    [
      'interactive',
      interactive('cta_url', {
        name: 'cta_url',
        parameters: { display_text: 'Open', url: 'https://example.com' },
      }),
    ],
    [
      'interactive',
      interactive('flow', {
        name: 'flow',
        parameters: {
          flow_message_version: '3',
          flow_id: '1',
          flow_cta: 'Book',
          flow_action: 'navigate',
          flow_action_payload: { screen: 'FIRST' },
        },
      }),
    ],
    ['interactive', interactive('location_request_message', { name: 'send_location' })],
    ['interactive', { type: 'request_contact_info', action: { name: 'request_contact_info' } }],
    [
      'template',
      {
        name: 'order_update',
        language: { code: 'en_US' },
        components: [
          { type: 'body', parameters: [{ type: 'text', text: 'Ana' }] },
          { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '17' }] },
        ],
      },
    ],
  ];
  for (const [type, content] of sound)
    t.equal(checkContent(type, content), undefined, `${type} ${String(content.type ?? '')}`);
});

t.test('what the provider would refuse is refused by the name of its field', async (t) => {
  const faulty: [string, MessageType, Record<string, unknown>][] = [
    ['body', 'text', {}],
    ['body', 'text', { body: 'x'.repeat(4097) }],
    ['boddy', 'text', { body: 'x', boddy: 'y' }],
    ['', 'image', { caption: 'no file' }],
    ['', 'image', { id: '1', link: 'https://example.com/a.png' }],
    ['link', 'image', { link: 'ftp://example.com/a.png' }],
    ['caption', 'video', { id: '1', caption: 'x'.repeat(1025) }],
    ['caption', 'audio', { id: '1', caption: 'audio has none' }],
    ['emoji', 'reaction', { message_id: 'wamid.X' }],
    ['latitude', 'location', { latitude: 91, longitude: 0 }],
    ['longitude', 'location', { latitude: 1 }],
    ['contacts.0.name.formatted_name', 'contacts', { contacts: [{ name: { first_name: 'Ana' } }] }],
    ['type', 'interactive', { type: 'poll' }],
    ['action.buttons', 'interactive', interactive('button', { buttons: [] })],
    [
      'action.buttons.1.reply.title',
      'interactive',
      interactive('button', { buttons: [button('a'), button('b', 'x'.repeat(21))] }),
    ],
    [
      'action.buttons.1.reply.id',
      'interactive',
      interactive('button', { buttons: [button('a', 'A'), button('a', 'B')] }),
    ],
    [
      'action.sections',
      'interactive',
      interactive('list', {
        button: 'Choose',
        sections: [
          { title: 'A', rows: rows(6) },
          { title: 'B', rows: rows(5, 6) },
        ],
      }),
    ],
    [
      'action.sections.1.title',
      'interactive',
      interactive('list', {
        button: 'Choose',
        sections: [{ title: 'A', rows: rows(1) }, { rows: rows(1, 1) }],
      }),
    ],
    [
      'action.sections.1.rows.0.id',
      'interactive',
      interactive('list', {
        button: 'Choose',
        sections: [
          { title: 'A', rows: rows(1) },
          { title: 'B', rows: rows(1) },
        ],
      }),
    ],
    [
      'action.parameters.url',
      'interactive',
      interactive('cta_url', { name: 'cta_url', parameters: { display_text: 'Open', url: 'example.com' } }),
    ],
    [
      'action.parameters',
      'interactive',
      interactive('flow', {
        name: 'flow',
        parameters: { flow_message_version: '3', flow_id: '1', flow_name: 'x', flow_cta: 'Book' },
      }),
    ],
    [
      'header.image',
      'interactive',
      interactive('button', { buttons: [button('a')] }, { header: { type: 'image' } }),
    ],
    ['language', 'template', { name: 'order_update' }],
    ['name', 'template', { name: 'Order Update', language: { code: 'en_US' } }],
    [
      'components.0.parameters.0.text',
      'template',
      {
        name: 'a',
        language: { code: 'en' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'two\nlines' }] }],
      },
    ],
    [
      'components.0.parameters.0.image',
      'template',
      {
        name: 'a',
        language: { code: 'en' },
        components: [{ type: 'header', parameters: [{ type: 'image' }] }],
      },
    ],
    [
      'components.0.sub_type',
      'template',
      { name: 'a', language: { code: 'en' }, components: [{ type: 'button', index: 0 }] },
    ],
  ];
  for (const [expected, type, content] of faulty)
    t.equal(field(type, content), expected, `${type}: ${expected}`);
});

import { CodedError } from '@switchyard/errors';
import fc from 'fast-check';
import t from 'tap';
import { cutOut } from '../../src/whatsapp/cut-out.ts';
import { splitPayload, type WebhookEvent } from '../../src/whatsapp/split-payload.ts';
import { contact, message, messagesChange, NUMBER, status, WABA, webhook } from '../fixtures/payloads.ts';

function kinds(payload: unknown): string[] {
  return splitPayload(payload).map((event) => (event.kind === 'unreadable' ? event.reason : event.kind));
}

t.test('one event per message, one for the statuses of a change, over all entries', async (t) => {
  const change = messagesChange({
    messages: [message('text'), message('image')],
    statuses: [status('sent'), status('read')],
  });
  const payload = webhook(change, { field: 'account_update', value: { event: 'X' } });
  const twice = { ...payload, entry: [...payload.entry, ...payload.entry] };
  const once = ['message', 'message', 'statuses', 'update'];
  t.same(kinds(twice), [...once, ...once]);
});

t.test('a message meets its own profile, by phone or by user id, and never a stranger’s', async (t) => {
  const other = { profile: { name: 'Bo' }, wa_id: '15550009999', user_id: 'US.1' };
  const byUserId = { ...message('text', { id: 'b' }), from: undefined };
  const stranger = message('text', { id: 'c', from: '1', from_user_id: 'US.2' });
  const events = splitPayload(
    webhook(messagesChange({ contacts: [other, contact], messages: [message('text'), byUserId, stranger] })),
  );
  t.same(
    events.map((event) => ('contact' in event ? event.contact : undefined)),
    [contact, contact, undefined],
  );
  const onlyOne = splitPayload(webhook(messagesChange({ contacts: [contact], messages: [stranger] })));
  t.match(onlyOne, [{ contact }]);
});

t.test('errors of the account beside a message are an update of their own', async (t) => {
  const errors = [{ code: 131000, title: 'Unsupported webhook payload' }];
  const events = splitPayload(webhook(messagesChange({ messages: [message('text')], errors })));
  t.match(events, [{ kind: 'message' }, { kind: 'update', field: 'messages', value: { errors } }]);
});

t.test('echoes of messages sent elsewhere are messages of their own kind', async (t) => {
  const echo = {
    field: 'smb_message_echoes',
    value: { metadata: { phone_number_id: NUMBER }, message_echoes: [message('text')] },
  };
  t.match(splitPayload(webhook(echo)), [
    { kind: 'echo', field: 'smb_message_echoes', providerId: 'wamid.TEXT' },
  ]);
});

t.test('what has the wrong shape is kept in its place, and the rest goes through', async (t) => {
  const payload = {
    entry: [
      7,
      { id: WABA },
      {
        id: WABA,
        changes: [
          null,
          { field: 5, value: {} },
          { field: 'account_update' },
          { field: 'messages', value: 'x' },
          messagesChange({ messages: 'x' }),
          messagesChange({
            messages: [message('text'), 'x', { type: 'text' }],
            statuses: [null, status('sent')],
          }),
          { field: 'messages', value: { messages: [message('text')] } },
        ],
      },
    ],
  };
  t.same(kinds(payload), [
    'malformed-entry',
    'malformed-entry',
    ...Array.from({ length: 5 }, () => 'malformed-change'),
    'message',
    'malformed-message',
    'malformed-message',
    'malformed-status',
    'statuses',
    'malformed-message',
  ]);
});

t.test('a body that is no envelope is refused with a code', async (t) => {
  for (const payload of [null, 1, 'x', [], {}, { entry: {} }, { entry: null }])
    t.throws(
      () => splitPayload(payload),
      { code: 'PAYLOAD_MALFORMED', statusCode: 400 },
      JSON.stringify(payload),
    );
});

t.test('a part that is cut out splits into the same part', async (t) => {
  const payload = webhook(
    messagesChange({
      contacts: [contact],
      messages: [message('text'), message('image')],
      statuses: [status('sent')],
    }),
    { field: 'account_update', value: { event: 'X' } },
  );
  for (const event of splitPayload(payload)) {
    const again = splitPayload(JSON.parse(cutOut(payload, event.place)));
    const same = again.find(({ kind }) => kind === event.kind);
    const { place: _, ...parts } = event;
    t.match(same, parts, event.kind);
  }
});

/** JSON that often looks like a webhook, with any part replaced by anything. */
const anyJson = fc.jsonValue({ maxDepth: 3 });
const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: anyJson });
const element = mostly(
  fc.record({ id: mostly(fc.string()), timestamp: mostly(fc.nat().map(String)) }, { requiredKeys: [] }),
);
const value = mostly(
  fc.record(
    {
      metadata: mostly(fc.record({ phone_number_id: mostly(fc.constantFrom(NUMBER, '')) })),
      contacts: mostly(fc.array(anyJson)),
      messages: mostly(fc.array(element)),
      statuses: mostly(fc.array(element)),
      message_echoes: mostly(fc.array(element)),
      errors: anyJson,
      ['__proto__']: anyJson,
    },
    { requiredKeys: [] },
  ),
);
const change = mostly(
  fc.record({
    field: mostly(fc.constantFrom('messages', 'smb_message_echoes', 'account_update', 'user_preferences')),
    value,
  }),
);
const entry = mostly(
  fc.record({ id: mostly(fc.constant(WABA)), time: mostly(fc.nat()), changes: mostly(fc.array(change)) }),
);
const anyPayload = mostly(fc.record({ object: anyJson, entry: mostly(fc.array(entry)) }));

function splitOrRefuse(payload: unknown): WebhookEvent[] | undefined {
  try {
    return splitPayload(payload);
  } catch (error) {
    if (error instanceof CodedError && error.statusCode >= 400 && error.statusCode < 500) return undefined;
    throw error;
  }
}

t.test('property: any JSON is split or refused with a coded 4xx, and can be cut out', async () => {
  fc.assert(
    fc.property(anyPayload, (payload) => {
      for (const { place } of splitOrRefuse(payload) ?? []) JSON.parse(cutOut(payload, place));
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('property: no message, status or change is lost or counted twice', async () => {
  fc.assert(
    fc.property(anyPayload, (payload) => {
      const events = splitOrRefuse(payload);
      if (!events) return true;
      const places = events.map(({ kind, place }) => JSON.stringify([kind, place]));
      if (new Set(places).size !== places.length) return false;
      return countParts(payload) === events.reduce((sum, event) => sum + partsOf(event), 0);
    }),
    { numRuns: 500 },
  );
});

function partsOf(event: WebhookEvent): number {
  return event.kind === 'statuses' ? event.statuses.length : 1;
}

/** Counts, by another way than the splitter's, what a payload holds. */
function countParts(payload: unknown): number {
  const isObject = (each: unknown): each is Record<string, unknown> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  let count = 0;
  for (const each of (payload as { entry: unknown[] }).entry) {
    if (!isObject(each) || !Array.isArray(each.changes)) {
      count += 1;
      continue;
    }
    for (const one of each.changes) {
      const lists = ['messages', 'statuses', 'message_echoes'];
      const inner = isObject(one) ? one.value : undefined;
      const isMessages = isObject(one) && (one.field === 'messages' || one.field === 'smb_message_echoes');
      const isReadable =
        isObject(inner) && lists.every((list) => inner[list] === undefined || Array.isArray(inner[list]));
      if (!isMessages || !isReadable) {
        count += 1;
        continue;
      }
      const present = lists.filter((list) => inner[list] !== undefined);
      for (const list of present) count += (inner[list] as unknown[]).length;
      const known = ['messaging_product', 'metadata', 'contacts', ...lists];
      if (present.length === 0 || Object.keys(inner).some((key) => !known.includes(key))) count += 1;
    }
  }
  return count;
}

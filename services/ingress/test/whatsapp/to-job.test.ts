import { checkPayload } from '@switchyard/jobs';
import t from 'tap';
import { splitPayload } from '../../src/whatsapp/split-payload.ts';
import { idOfEvent, isRoutable, toJob } from '../../src/whatsapp/to-job.ts';
import {
  contact,
  message,
  messagesByType,
  messagesChange,
  metadata,
  NUMBER,
  otherFields,
  status,
  userPreferences,
  WABA,
  webhook,
} from '../fixtures/payloads.ts';

const RECEIVED_MS = 1_763_660_021_000;

/** The jobs of a payload as ingress would add them, held against the contract. */
function jobsOf(payload: unknown) {
  return splitPayload(payload).map((event) => {
    if (!isRoutable(event)) throw new Error(event.reason);
    const job = toJob(event, idOfEvent(event, 'body-1'), {
      merchantId: 'mer_1',
      receivedAtMs: RECEIVED_MS,
      meta: { correlationId: 'c-1' },
    });
    checkPayload(job.queue, job.name, job.payload);
    return job;
  });
}

t.test('a text message becomes one inbound job, as one can read here', async (t) => {
  const [job, ...rest] = jobsOf(
    webhook(messagesChange({ contacts: [contact], messages: [message('text')] })),
  );
  t.equal(rest.length, 0);
  t.same(job, {
    queue: 'inbound',
    name: 'receive-message',
    payload: {
      merchantId: 'mer_1',
      eventId: 'evt_k9AVfK-_RW8v2GRPeoXywVkqBMb',
      phoneNumberId: '106540352242922',
      wabaId: '102290129340398',
      displayPhoneNumber: '15550783881',
      field: 'messages',
      profile: { name: 'Ana', username: 'ana', waId: '15551234567', userId: 'US.13491208655302741918' },
      message: {
        from: '15551234567',
        from_user_id: 'US.13491208655302741918',
        id: 'wamid.TEXT',
        timestamp: '1763660000',
        type: 'text',
        text: { body: 'Hello' },
      },
      occurredAtMs: 1_763_660_000_000,
      receivedAtMs: RECEIVED_MS,
    },
    options: { jobId: 'evt_k9AVfK-_RW8v2GRPeoXywVkqBMb', deduplicationTtlMs: 900_000 },
    meta: { correlationId: 'c-1', merchantId: 'mer_1' },
  });
});

t.test('a message of every type, also one unknown today, goes through unchanged', async (t) => {
  for (const type of Object.keys(messagesByType)) {
    const sent = message(type);
    const [job] = jobsOf(webhook(messagesChange({ contacts: [contact], messages: [sent] })));
    t.match(job, { queue: 'inbound', name: 'receive-message', payload: { message: sent } }, type);
  }
});

t.test('a person without a phone number is known by user id', async (t) => {
  const { from: _from, ...sent } = message('text');
  const { wa_id: _waId, ...known } = contact;
  const [job] = jobsOf(webhook(messagesChange({ contacts: [known], messages: [sent] })));
  t.match(job, { payload: { profile: { waId: undefined, userId: 'US.13491208655302741918' } } });
});

t.test('all statuses of a change become one receipts job', async (t) => {
  const failed = status('failed', {
    recipient_id: undefined,
    errors: [{ code: 131026, title: 'Undeliverable' }],
  });
  const statuses = [
    status('sent'),
    status('delivered'),
    status('read'),
    status('played'),
    JSON.parse(JSON.stringify(failed)),
  ];
  const [job, ...rest] = jobsOf(webhook(messagesChange({ statuses })));
  t.equal(rest.length, 0);
  t.match(job, {
    queue: 'receipts',
    name: 'apply-statuses',
    payload: {
      merchantId: 'mer_1',
      phoneNumberId: NUMBER,
      wabaId: WABA,
      statuses,
      receivedAtMs: RECEIVED_MS,
    },
    options: { jobId: /^evt_[\w-]{27}$/, deduplicationTtlMs: 900_000 },
  });
});

t.test('every other field becomes an account update, also one unknown today', async (t) => {
  for (const [field, value] of Object.entries(otherFields)) {
    const [job] = jobsOf(webhook({ field, value }));
    t.match(
      job,
      {
        queue: 'receipts',
        name: 'apply-account-update',
        payload: { field, value, wabaId: WABA, occurredAtMs: 1_763_660_020_000 },
      },
      field,
    );
  }
});

t.test('marketing preferences and changes of user id become preference jobs', async (t) => {
  const userIds = {
    metadata,
    user_id_update: [{ wa_id: '1', user_id: { previous: 'US.1', current: 'US.2' } }],
  };
  const jobs = jobsOf(
    webhook(
      { field: 'user_preferences', value: userPreferences },
      { field: 'user_id_update', value: userIds },
    ),
  );
  t.match(jobs, [
    {
      queue: 'receipts',
      name: 'apply-preferences',
      payload: { phoneNumberId: NUMBER, value: userPreferences },
    },
    { queue: 'receipts', name: 'apply-preferences', payload: { field: 'user_id_update', value: userIds } },
  ]);
});

t.test(
  'the same event has the same id however it is batched; another number, value or time has another',
  async (t) => {
    const idOf = (payload: unknown, index = 0) => jobsOf(payload)[index]!.options!.jobId;
    const alone = webhook(messagesChange({ messages: [message('text')] }));
    const batched = webhook(messagesChange({ messages: [message('image'), message('text')] }));
    t.equal(idOf(alone), idOf(batched, 1));
    t.not(idOf(alone), idOf(webhook(messagesChange({ messages: [message('text')] }, '999'))));
    const update = webhook({ field: 'account_update', value: { event: 'X' } });
    t.equal(idOf(update), idOf(structuredClone(update)));
    t.not(idOf(update), idOf(webhook({ field: 'account_update', value: { event: 'Y' } })));
    const later = structuredClone(update);
    later.entry[0]!.time += 1;
    t.not(idOf(update), idOf(later));
  },
);

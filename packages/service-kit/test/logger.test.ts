import { defineError } from '@switchyard/errors';
import fc from 'fast-check';
import t from 'tap';
import { createLogger } from '../src/index.ts';

function recording(level: 'info' | 'trace' = 'trace') {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'tested',
    level,
    destination: { write: (line) => void lines.push(line) },
  });
  return { logger, last: () => JSON.parse(lines.at(-1) ?? 'null'), lines };
}

t.test('a line is JSON with service, level and time', async (t) => {
  const { logger, last, lines } = recording('info');
  logger.debug('not written');
  logger.info({ queue: 'flows' }, 'started');
  t.equal(lines.length, 1);
  t.match(last(), { service: 'tested', level: 'info', time: /^\d{4}-.*Z$/, queue: 'flows', msg: 'started' });
});

t.test('secrets and phone numbers are hidden wherever they stand', async (t) => {
  const { logger, lines, last } = recording();
  const secret = 'hunter2-hunter2';
  const phone = '15551234567';
  logger.info({
    password: secret,
    headers: {
      Authorization: `Bearer ${secret}`,
      cookie: secret,
      'set-cookie': [secret],
      'x-hub-signature-256': secret,
    },
    config: {
      accessToken: secret,
      app_secret: secret,
      SWITCHYARD_API_KEY: secret,
      encryptionKeys: { a: secret },
      databaseUrl: secret,
    },
    to: phone,
    from: `+${phone}`,
    deep: [
      { contacts: [{ wa_id: phone, profile: { phone: '+1 (555) 123-4567' } }], recipient_id: Number(phone) },
    ],
    recipients: [phone, phone],
    url: `redis://user:${secret}@host:6379/1`,
    session: `wh:session:+${phone}`,
    error: new Error(`connect redis://:${secret}@host failed for +${phone}`, {
      cause: new Error(`token=${secret}`),
    }),
  });
  logger.child({ phone, token: secret, correlationId: 'c-1' }).warn('said +%s with Bearer %s', phone, secret);
  logger.info(`calling https://graph/?access_token=${secret}&x=1 for +${phone}`);
  logger.error(new Error(`no such number: +${phone}`));
  const text = lines.join('');
  t.notMatch(text, secret);
  t.notMatch(text, phone);
  t.notMatch(text, '555) 123');
  t.match(JSON.parse(lines[0]!), {
    to: '***4567',
    from: '***4567',
    recipients: ['***4567', '***4567'],
    deep: [{ contacts: [{ wa_id: '***4567', profile: { phone: '***4567' } }], recipient_id: '***4567' }],
    session: 'wh:session:***4567',
  });
  t.match(JSON.parse(lines[1]!), { phone: '***4567', correlationId: 'c-1' });
  t.match(last(), { err: { type: 'Error', stack: /logger\.test/ } });
});

t.test('what only looks alike stays readable', async (t) => {
  const { logger, last } = recording();
  const at = new Date(0);
  logger.info({
    from: 'pending',
    to: 'sent',
    tokens: 12,
    maxTokens: 100,
    count: 1,
    at,
    to_batch: 5,
    nothing: null,
    messageId: 'wamid.HBgL',
  });
  t.match(last(), {
    from: 'pending',
    to: 'sent',
    tokens: 12,
    maxTokens: 100,
    count: 1,
    at: at.toISOString(),
    to_batch: 5,
    nothing: null,
    messageId: 'wamid.HBgL',
  });
});

t.test('an error is logged with code, details and all its causes', async (t) => {
  const { logger, last } = recording();
  const providerAway = defineError('PROVIDER_AWAY', 503, 'later');
  const system = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  logger.error(
    { err: providerAway('away', { details: { host: 'h' }, cause: new AggregateError([system]) }) },
    'failed',
  );
  t.match(last(), {
    err: {
      code: 'PROVIDER_AWAY',
      outcome: 'later',
      details: { host: 'h' },
      cause: { type: 'AggregateError', errors: [{ code: 'ECONNREFUSED' }] },
    },
  });
});

t.test('nothing that is logged can break the logger or the logged object', async (t) => {
  const { logger, lines } = recording();
  const circular: Record<string, unknown> = { name: 'a' };
  circular.self = circular;
  const error = new Error('loop');
  error.cause = error;
  logger.info({ circular, err: error });
  const input = { to: '15551234567', nested: { password: 'x' } };
  logger.info(input);
  t.strictSame(
    input,
    { to: '15551234567', nested: { password: 'x' } },
    'the object itself is left as it was',
  );
  logger.info(JSON.parse('{"__proto__":{"polluted":true}}'));
  t.equal(({} as Record<string, unknown>).polluted, undefined);
  fc.assert(
    fc.property(fc.object({ withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
      logger.info(value);
      JSON.parse(lines.at(-1) ?? '');
    }),
  );
});

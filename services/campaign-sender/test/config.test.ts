import t from 'tap';
import { loadServiceConfig } from '../src/index.ts';

t.test('a grace that does not outlast the HTTP time-out is refused by name', async (t) => {
  t.throws(() => loadServiceConfig({ SEND_HTTP_TIMEOUT_MS: '5000', SEND_UNKNOWN_GRACE_MS: '5000' }), {
    name: 'ConfigError',
    message: /^SEND_HTTP_TIMEOUT_MS must be shorter than SEND_UNKNOWN_GRACE_MS/,
  });
  t.throws(() => loadServiceConfig({ SEND_PARKED_MAX_MS: '2000' }), { message: /^SEND_PARKED_MAX_MS/ });
  t.throws(() => loadServiceConfig({ WHATSAPP_ACCESS_TOKEN: 'token' }), {
    message: /^WHATSAPP_PHONE_NUMBER_ID/,
  });
  t.match(loadServiceConfig({}), { sendUnknownGraceMs: 90_000, sendHttpTimeoutMs: 15_000, port: 3001 });
});

import t from 'tap';
import { checkEndpointUrl } from '../src/delivery/check-endpoint-url.ts';
import { createWebhookClient } from '../src/delivery/create-webhook-client.ts';
import { startReceiver } from './helper.ts';

t.test('addresses inside a network are never public, in whatever spelling', async (t) => {
  const inside = [
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://10.1.2.3/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://100.64.0.1/',
    'http://0.0.0.0/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[fe80::1]/',
    'http://[fd00::1]/',
    'http://[64:ff9b::7f00:1]/',
  ];
  for (const url of inside)
    t.throws(() => checkEndpointUrl(url, false), { code: 'ENDPOINT_URL_REFUSED' }, url);
  for (const url of ['https://example.com/x', 'http://93.184.216.34/', 'http://[2606:2800:220:1::1]/']) {
    t.doesNotThrow(() => checkEndpointUrl(url, false), url);
  }
});

t.test('what is no web address is refused', async (t) => {
  for (const url of [
    '',
    'example.com',
    'ftp://example.com',
    'file:///etc/passwd',
    'https://user:secret@example.com',
  ]) {
    t.throws(() => checkEndpointUrl(url, true), { code: 'ENDPOINT_URL_REFUSED' }, url);
  }
});

t.test('a name that stands for this machine is refused when it is connected to', async (t) => {
  const receiver = await startReceiver(t, () => ({ status: 200 }));
  const client = createWebhookClient({ timeoutMs: 2000, allowPrivateNetworks: false });
  t.teardown(() => client.close());
  const url = receiver.url.replace('127.0.0.1', 'localhost');
  const result = await client.post(url, {}, '{}', new AbortController().signal);
  t.equal(result.status, undefined);
  t.match(result.error, /private network/);
  t.equal(receiver.received.length, 0);
});

t.test('a redirect is a failure and is not followed', async (t) => {
  const target = await startReceiver(t, () => ({ status: 200 }));
  const receiver = await startReceiver(t, () => ({ status: 302, headers: { location: target.url } }));
  const client = createWebhookClient({ timeoutMs: 2000, allowPrivateNetworks: true });
  t.teardown(() => client.close());
  const result = await client.post(receiver.url, {}, '{}', new AbortController().signal);
  t.equal(result.status, 302);
  t.equal(target.received.length, 0);
});

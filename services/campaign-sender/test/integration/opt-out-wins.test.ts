import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eachDatabase, until } from '@switchyard/test-kit';
import t, { type Test } from 'tap';
import { startStage } from '../helper.ts';

/** A provider whose answers to sends wait until they are let go. */
async function startSlowProvider(t: Test) {
  let target = '';
  const held: (() => void)[] = [];
  let isOpen = false;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method!,
      headers: {
        authorization: request.headers.authorization ?? '',
        'content-type': request.headers['content-type'] ?? 'application/json',
      },
      ...(request.method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
    });
    const body = await answer.text();
    if (request.url!.endsWith('/messages') && !isOpen)
      await new Promise<void>((resolve) => held.push(resolve));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forwardTo(url: string) {
      target = url;
    },
    open() {
      isOpen = true;
      for (const letGo of held.splice(0)) letGo();
    },
  };
}

void eachDatabase(
  t,
  'who opts out while a message waits for its turn at the provider is not called for',
  async (t, database) => {
    const provider = await startSlowProvider(t);
    const stage = await startStage(t, database, {
      env: {
        WHATSAPP_API_URL: provider.url,
        // One call at a time: the others wait right before their calls.
        SEND_CONNECTIONS: '1',
        SEND_HTTP_TIMEOUT_MS: '40000',
        SEND_UNKNOWN_GRACE_MS: '60000',
      },
    });
    provider.forwardTo(stage.simulator.url);
    const { db } = stage.service.database;
    const phones = ['15551239001', '15551239002', '15551239003', '15551239004'];
    const contacts: string[] = [];
    for (const phone of phones) contacts.push(await stage.greet(phone));
    const send = (messageId: string, person: number, lane: 'flow' | 'campaign') =>
      stage.ingress.add({
        queue: 'messages',
        name: 'send-message',
        payload: { messageId, to: phones[person]!, content: `text of ${messageId}`, lane },
      });
    const rowOf = (id: string) =>
      db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();

    await send('m_first', 0, 'flow');
    await stage.simulator.waitForAccepted(({ messageId }) => messageId === 'm_first');
    await send('m_all', 1, 'flow');
    await send('m_marketing', 2, 'campaign');
    await send('m_service', 2, 'flow');
    await send('m_wanted', 3, 'campaign');
    // From here on the process has them as they were, and they wait for the one connection; what is recorded of them is their intent.
    for (const id of ['m_all', 'm_marketing', 'm_service', 'm_wanted'])
      await until(() => stage.ingress.isUnderWay(id), { what: `${id} is under way`, timeoutMs: 20_000 });
    t.equal((await stage.call('POST', `/api/v1/contacts/${contacts[1]}/opt-out`, {})).status, 200);
    const noMarketing = { purpose: 'marketing', granted: false, source: 'shop' };
    t.equal((await stage.call('POST', `/api/v1/contacts/${contacts[2]}/consents`, noMarketing)).status, 200);
    t.equal(await rowOf('m_all'), undefined);
    provider.open();
    for (const id of ['m_first', 'm_service', 'm_wanted', 'm_all', 'm_marketing'])
      await until(async () => ['read', 'skipped'].includes((await rowOf(id))?.state ?? ''), {
        what: `${id} has ended`,
        timeoutMs: 60_000,
      });
    t.match(await rowOf('m_all'), { state: 'skipped', failureCode: 'OPTED_OUT', attempts: 0 });
    t.match(await rowOf('m_marketing'), {
      state: 'skipped',
      failureCode: 'MARKETING_OPTED_OUT',
      attempts: 0,
    });
    t.match(await rowOf('m_service'), { state: 'read' });
    t.match(await rowOf('m_wanted'), { state: 'read' });
    t.strictSame(
      stage.simulator
        .accepted()
        .map(({ messageId }) => messageId)
        .sort(),
      ['m_first', 'm_service', 'm_wanted'],
    );
  },
);

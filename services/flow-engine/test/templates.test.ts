import type { JobPayload } from '@switchyard/jobs';
import { eachDatabase, until } from '@switchyard/test-kit';
import t from 'tap';
import { type Engine, message, settled, startEngine } from './helper.ts';

type SetTemplates = JobPayload<'flows', 'set-templates'>;

const reminder = (language: string, ...values: string[]) => ({
  name: 'Reminder',
  triggers: [],
  start: 'remind',
  nodes: {
    remind: {
      kind: 'send',
      message: {
        type: 'template',
        content: {
          name: 'reminder',
          language: { code: language },
          components: [{ type: 'body', parameters: values.map((text) => ({ type: 'text', text })) }],
        },
      },
      next: 'end',
    },
    end: { kind: 'end' },
  },
});

async function tellTemplates(engine: Engine, told: Partial<SetTemplates>): Promise<void> {
  await engine.runtime.producer.add({
    queue: 'flows',
    name: 'set-templates',
    payload: { merchantId: 'default', wabaId: 'waba_1', revision: 1, templates: [], ...told },
  });
  await settled(engine);
}

eachDatabase(
  t,
  'a flow that names a template which its merchant’s accounts lack is not published; one under review is warned of',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const draft = async (definition: object) => {
      const { data } = await engine.call('POST', '/api/v1/flows', { definition });
      return (data as { flow: { id: string } }).flow.id;
    };
    const publish = (id: string) => engine.call('POST', `/api/v1/flows/${id}/publish`);
    const english = await draft(reminder('en_US', '{{ contact.name }}'));
    const german = await draft(reminder('de'));

    t.match(
      await publish(german),
      { status: 200, data: { warnings: [] } },
      'nothing is known: nothing is said',
    );

    await tellTemplates(engine, { wabaId: 'waba_0', revision: 9 });
    const refused = await publish(english);
    t.match(refused, { status: 400, error: { code: 'FLOW_INVALID' } });
    t.match(refused.error.details?.problems, [
      {
        node: 'remind',
        path: '/nodes/remind/message',
        message: 'there is no message template "reminder"',
      },
    ]);

    const template = { name: 'reminder', language: 'en_US', status: 'PENDING', parameters: { body: 1 } };
    await tellTemplates(engine, { revision: 5, templates: [template] });
    t.match(await publish(english), {
      status: 200,
      data: { flow: { publishedVersion: 1 }, warnings: [{ node: 'remind', message: /PENDING/ }] },
    });
    await tellTemplates(engine, { revision: 4, templates: [] });
    const check = (definition: object) => engine.call('POST', '/api/v1/flows/check', { definition });
    t.match((await check(reminder('en_US', 'x'))).data, { problems: [], warnings: [{ message: /PENDING/ }] });
    t.match((await check(reminder('en_US'))).data, {
      problems: [{ message: 'the body of "reminder" takes 1 values, not 0' }],
    });
    t.match((await check(reminder('de', 'x'))).data, { problems: [{ message: /in "de", but in en_US/ }] });

    const approved = { ...template, status: 'APPROVED' };
    await tellTemplates(engine, { wabaId: 'waba_0', revision: 10, templates: [approved] });
    t.match(
      (await check(reminder('en_US', 'x'))).data,
      { problems: [], warnings: [] },
      'of several accounts, the one in which it can be sent counts',
    );
  },
);

eachDatabase(
  t,
  'a shop that has removed the app is asked no more, until it is connected again',
  async (t, database) => {
    const engine = await startEngine(t, database);
    const created = await engine.call('POST', '/api/v1/shops', {
      shopDomain: 'acme.myshopify.com',
      accessToken: 'shpat_1',
    });
    t.equal(created.status, 201, created.error?.message);
    const { id } = created.data as { id: string };
    const stop = async (stoppedAtMs: number) => {
      await engine.runtime.producer.add({
        queue: 'flows',
        name: 'stop-source',
        payload: {
          merchantId: 'default',
          sourceKind: 'shopify',
          sourceKey: 'ACME.myshopify.com',
          reason: 'app/uninstalled',
          stoppedAtMs,
        },
      });
      await settled(engine);
      const { data } = await engine.call('GET', '/api/v1/shops');
      return (data as { state: string }[])[0]?.state;
    };
    t.equal(await stop(1), 'active', 'word of a time before it was connected');
    t.equal(await stop(Date.now() + 60_000), 'unauthorized');
    await engine.publish({
      name: 'Look',
      triggers: [{ kind: 'keyword', words: ['look'] }],
      start: 'look',
      nodes: {
        look: {
          kind: 'shopify-lookup',
          resource: 'order',
          by: 'name',
          value: '1',
          saveAs: 'order',
          next: 'end',
        },
        end: { kind: 'end' },
      },
    });
    await engine.tell(message('con_1', 1, 'look'));
    const [run] = await until(
      async () => {
        const { data } = await engine.call('GET', '/api/v1/runs?status=failed');
        return (
          (data as { reasonCode: string; reason: string }[]).length > 0 && (data as { reasonCode: string }[])
        );
      },
      { what: 'the look-up to fail', timeoutMs: 30_000 },
    );
    t.match(run, { reasonCode: 'SHOP_UNAUTHORIZED', reason: /has removed the app/ });
    const again = await engine.call('PUT', `/api/v1/shops/${id}/tokens`, { accessToken: 'shpat_2' });
    t.match(again.data, { state: 'active' });
  },
);

import { eachDatabase } from '@switchyard/test-kit';
import t from 'tap';
import { startEngine } from './helper.ts';

interface Installed {
  flowId: string;
  version: number;
  outcome: string;
}

await eachDatabase(
  t,
  'ready-made flows are installed by one call, again with other settings',
  async (t, database) => {
    const { call } = await startEngine(t, database);
    const listed = (await call('GET', '/api/v1/flow-library')).data as { name: string; settings: object }[];
    t.same(
      listed.map(({ name }) => name),
      ['welcome-menu', 'abandoned-checkout', 'order-updates', 'ai-support'],
    );
    t.match(listed[1]?.settings, { properties: { waitMinutes: { default: 60 } } });
    for (const { name } of listed) {
      const { status, data } = await call('POST', `/api/v1/flow-library/${name}/install`, {});
      t.equal(status, 200, name);
      t.match(data, { version: 1, outcome: 'installed' });
    }
    const path = '/api/v1/flow-library/abandoned-checkout/install';
    const again = (await call('POST', path, {})).data as Installed;
    t.match(again, { version: 1, outcome: 'unchanged' });
    const changed = (await call('POST', path, { settings: { waitMinutes: 5 } })).data as Installed;
    t.match(changed, { flowId: again.flowId, version: 2, outcome: 'changed' });
    const shown = (await call('GET', `/api/v1/flows/${again.flowId}`)).data as {
      definition: { nodes: { wait: { timeoutSeconds: number } } };
      flow: { publishedVersion: number };
    };
    t.equal(shown.definition.nodes.wait.timeoutSeconds, 300);
    t.equal(shown.flow.publishedVersion, 2);

    t.match(await call('POST', path, { settings: { waitMinutes: 0 } }), {
      status: 400,
      error: { code: 'FLOW_SETTINGS_INVALID', message: /waitMinutes/ },
    });
    t.match(await call('POST', path, { settings: { nonsense: 1 } }), {
      status: 400,
      error: { code: 'FLOW_SETTINGS_INVALID', message: /nonsense/ },
    });
    t.match(await call('POST', '/api/v1/flow-library/nothing/install', {}), {
      status: 404,
      error: { code: 'READY_MADE_UNKNOWN' },
    });
  },
);

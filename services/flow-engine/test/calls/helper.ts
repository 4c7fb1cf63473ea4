import { createRuntime } from '@switchyard/runtime';
import { startSimulator } from '@switchyard/simulator';
import { createSqliteDatabase, silentLogger, startRedis, type TestRedis } from '@switchyard/test-kit';
import type { Test } from 'tap';
import type { CallContext } from '../../src/calls/call.ts';
import { createExecutors } from '../../src/calls/create-executors.ts';
import { loadFlowEngineConfig } from '../../src/config.ts';
import { migrations } from '../../src/database/migrations.ts';
import type { FlowTables } from '../../src/database/tables.ts';
import { apiKey, environment } from '../helper.ts';

/** The simulator, and the environment of a flow-engine that uses it. */
export async function startProviders(t: Test) {
  const simulator = await startSimulator();
  t.teardown(() => simulator.close());
  const env = {
    AI_BASE_URL: `${simulator.url}/ai/v1`,
    AI_API_KEY: simulator.ai.apiKey,
    AI_MODEL: 'simulator',
    SHOPIFY_SHOP_DOMAIN: simulator.shopify.shopDomain,
    SHOPIFY_ACCESS_TOKEN: 'simulator-shop-token',
    SHOPIFY_API_URL: `${simulator.url}/shopify`,
  };
  return { simulator, env };
}

/** The executors of one instance, on real Redis and SQL, without its workers. */
export async function startExecutors(
  t: Test,
  options: {
    env?: Record<string, string>;
    redis?: TestRedis;
    database?: { url: string | undefined; dataDir: string };
  } = {},
) {
  const redis = options.redis ?? (await startRedis(t));
  const database = options.database ?? (await createSqliteDatabase(t));
  const config = loadFlowEngineConfig(environment(redis, database, options.env));
  const runtime = await createRuntime<FlowTables, typeof config>({
    service: 'flow-engine',
    version: '0.1.0',
    config,
    migrations,
    logger: silentLogger(),
  });
  t.teardown(() => runtime.close());
  const executors = await createExecutors(runtime);
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
    const headers = { authorization: `Bearer ${apiKey}` };
    const response = await runtime.app.inject({
      method,
      url,
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
    return {
      status: response.statusCode,
      text: response.body,
      ...(response.json() as { data: never; error: { code: string } }),
    };
  };
  return { runtime, redis, database, executors, call };
}

let requests = 0;

/** What an executor is told besides the call. */
export function context(overrides: Partial<CallContext> = {}): CallContext {
  requests += 1;
  return {
    merchantId: 'default',
    requestId: `run_1_${requests}`,
    contactId: 'con_1',
    attempt: 1,
    maxAttempts: 2,
    signal: new AbortController().signal,
    ...overrides,
  };
}

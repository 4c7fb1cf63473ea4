import { ConfigError } from '@switchyard/config';
import { generateKeyPair } from '@switchyard/service-kit';
import t from 'tap';
import { loadMetricsExporterConfig, readWaitingLimits } from '../src/config.ts';

const production = {
  NODE_ENV: 'production',
  TOKEN_PUBLIC_KEY: generateKeyPair().publicKeyPem,
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  DATABASE_URL: 'mysql://root@localhost/switchyard',
  BULL_BOARD_USERNAME: 'operator',
  BULL_BOARD_PASSWORD: 'correct-horse-battery',
};

function refusal(env: Record<string, string>): string {
  try {
    loadMetricsExporterConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.variable;
    throw error;
  }
  return 'none';
}

t.test('development has a login without any setting, at port 5000', async (t) => {
  const config = loadMetricsExporterConfig({});
  t.match(config, { bullBoardUsername: 'admin', bullBoardPassword: 'admin123', port: 5000 });
});

t.test('production refuses a missing, a default and a short login, and names the variable', async (t) => {
  t.equal(refusal(production), 'none');
  t.equal(refusal({ ...production, BULL_BOARD_USERNAME: '' }), 'BULL_BOARD_USERNAME');
  t.equal(refusal({ ...production, BULL_BOARD_USERNAME: 'admin' }), 'BULL_BOARD_USERNAME');
  t.equal(refusal({ ...production, BULL_BOARD_PASSWORD: '' }), 'BULL_BOARD_PASSWORD');
  t.equal(refusal({ ...production, BULL_BOARD_PASSWORD: 'admin123' }), 'BULL_BOARD_PASSWORD');
  t.equal(refusal({ ...production, BULL_BOARD_PASSWORD: 'short' }), 'BULL_BOARD_PASSWORD');
});

t.test(
  'a limit for one queue takes the place of the general one; a malformed one stops the start',
  async (t) => {
    const limitOf = readWaitingLimits(
      loadMetricsExporterConfig({ HEALTH_OLDEST_WAITING_MS_BY_QUEUE: 'flows:1000, messages:5' }),
    );
    t.equal(limitOf('flows'), 1000);
    t.equal(limitOf('messages'), 5);
    t.equal(limitOf('inbound'), 300_000);
    for (const entry of ['nope:1', 'flows', 'flows:0', 'flows:x'])
      t.equal(refusal({ HEALTH_OLDEST_WAITING_MS_BY_QUEUE: entry }), 'HEALTH_OLDEST_WAITING_MS_BY_QUEUE');
  },
);

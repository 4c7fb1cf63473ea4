import { type AddressInfo, connect } from 'node:net';
import { loadConfig } from '@switchyard/config';
import { silentLogger } from '@switchyard/test-kit';
import {
  buildServiceApp,
  createTokenIssuer,
  createTokenVerifier,
  generateKeyPair,
  httpFields,
  type ServiceApp,
  type ServiceAppSettings,
  type TokenGrant,
} from '../src/index.ts';

/** What a test closes when it ends. */
export interface Owner {
  teardown(close: () => unknown): void;
}

/** The API key of every app under test. */
export const apiKey = 'an-api-key-of-32-characters-long';

const pair = generateKeyPair();
const issuer = createTokenIssuer({ privateKeyPem: pair.privateKeyPem, ttlSeconds: 60 });

/** A valid token. */
export async function tokenFor(grant: Partial<TokenGrant> = {}): Promise<string> {
  const { token } = await issuer.issue({ subject: 'user-1', merchantId: 'm1', scopes: ['*'], ...grant });
  return token;
}

/** The header that carries a token. */
export async function bearer(grant: Partial<TokenGrant> = {}): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await tokenFor(grant)}` };
}

/** How an app under test differs from the usual one. */
export interface TestAppOptions extends Partial<Omit<ServiceAppSettings, 'config'>> {
  env?: Record<string, string>;
  routes?: (app: ServiceApp) => void;
}

/** An app with sound health, its routes added, listening on a free port, closed when the test ends. */
export async function listen(t: Owner, options: TestAppOptions = {}) {
  const { env = {}, routes, ...settings } = options;
  const config = loadConfig(httpFields(0), {
    TOKEN_PUBLIC_KEY: pair.publicKeyPem,
    SWITCHYARD_API_KEY: apiKey,
    ...env,
  });
  const app = await buildServiceApp({
    service: 'tested',
    version: '1.2.3',
    config,
    logger: silentLogger(),
    health: {
      redisConnected: async () => true,
      queues: async () => ({
        status: 'healthy',
        totals: { waiting: 1, active: 2, completed: 3, failed: 4, delayed: 5 },
      }),
      checks: {},
    },
    live: () => ({ ok: true }),
    verifier: createTokenVerifier({ publicKeys: config.tokenPublicKey, apiKey: config.apiKey }),
    ...settings,
  });
  routes?.(app);
  t.teardown(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url, port: (app.server.address() as AddressInfo).port };
}

/** Sends raw bytes and collects what comes back until the connection ends. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

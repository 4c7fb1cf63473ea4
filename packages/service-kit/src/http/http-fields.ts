import { ConfigError, type ConfigOf, type Field, type FieldOptions, field } from '@switchyard/config';
import Type from 'typebox';
import { readPublicKeys } from '../auth/read-public-keys.ts';

/** Whose word on the client's address is taken: nobody's, everybody's, so many hops', or these proxies'. */
export type TrustProxy = boolean | number | string[];

function trustProxy(options: FieldOptions<TrustProxy>): Field<TrustProxy> {
  return {
    variable: 'TRUST_PROXY',
    schema: Type.Union([Type.Boolean(), Type.Integer({ minimum: 0 }), Type.Array(Type.String())]),
    options,
    parse: (raw) => {
      if (raw === 'true' || raw === 'false') return raw === 'true';
      if (/^\d{1,2}$/.test(raw)) return Number(raw);
      const entries = raw.split(',').map((entry) => entry.trim());
      if (
        !entries.every((entry) => /^(loopback|linklocal|uniquelocal|[0-9a-f.:]+(\/[0-9.]+)?)$/i.test(entry))
      ) {
        throw new Error('must be true, false, a number of hops, or addresses and networks');
      }
      return entries;
    },
  };
}

/** Public keys stay text here, so that a configuration can be printed and compared; they are checked all the same. */
function publicKeys<T>(text: Field<T>): Field<T> {
  return {
    ...text,
    parse: (raw) => {
      const pem = raw.replaceAll('\\n', '\n');
      readPublicKeys(pem);
      return text.parse(pem);
    },
  };
}

/**
 * The settings of every service's HTTP side.
 *
 * @param defaultPort where the service listens unless `PORT` says otherwise.
 */
export function httpFields(defaultPort: number) {
  return {
    environment: field.choice('NODE_ENV', ['development', 'test', 'production'], {
      description: 'What kind of installation this is; production refuses weak secrets.',
      default: 'development',
    }),
    host: field.string('HOST', { description: 'Address to listen on.', default: '0.0.0.0' }),
    port: field.integer('PORT', {
      description: 'Port to listen on; 0 takes a free one.',
      default: defaultPort,
      minimum: 0,
      maximum: 65_535,
    }),
    logLevel: field.choice('LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description: 'Log lines below this level are not written.',
      default: 'info',
    }),
    bodyLimitBytes: field.integer('HTTP_BODY_LIMIT_BYTES', {
      description: 'Largest request body that is read.',
      default: 1_048_576,
      minimum: 1_024,
      maximum: 1_073_741_824,
    }),
    requestTimeoutMs: field.integer('HTTP_REQUEST_TIMEOUT_MS', {
      description: 'How long a client may take to send a whole request.',
      default: 30_000,
      minimum: 100,
    }),
    trustProxy: trustProxy({
      description:
        'Proxies whose X-Forwarded-For is believed: true, false, a number of hops, or addresses and networks.',
      default: false,
    }),
    tokenPublicKey: publicKeys(
      field.string('TOKEN_PUBLIC_KEY', {
        description:
          'Ed25519 public key (PEM) that tokens are checked with; several, one after the other, while keys are rotated.',
        optional: true,
        requiredInProduction: true,
      }),
    ),
    apiKey: field.string('SWITCHYARD_API_KEY', {
      description: 'API key of the default merchant with every scope; at least 24 characters in production.',
      optional: true,
      secret: true,
      pattern: '^[\\x21-\\x7e]+$',
    }),
    metricsToken: field.string('METRICS_TOKEN', {
      description: 'When set, /metrics asks for it as a bearer token.',
      optional: true,
      secret: true,
      pattern: '^[\\x21-\\x7e]+$',
    }),
    shutdownTimeoutMs: field.integer('SHUTDOWN_TIMEOUT_MS', {
      description: 'A stop that takes longer is forced.',
      default: 30_000,
      minimum: 100,
    }),
    apiRatePerMinute: field.integer('API_RATE_PER_MINUTE', {
      description: 'API calls per minute of one caller at one service; 0 sets no limit.',
      default: 6_000,
      minimum: 0,
    }),
    authFailuresPerMinute: field.integer('AUTH_FAILURES_PER_MINUTE', {
      description:
        'Refused tokens and keys per minute of one address, after which it gets 429; 0 sets no limit.',
      default: 20,
      minimum: 0,
    }),
    maxEventLoopDelayMs: field.integer('MAX_EVENT_LOOP_DELAY_MS', {
      description: 'Mean event-loop delay above which requests are shed with 503; 0 never sheds.',
      default: 1_000,
      minimum: 0,
    }),
    maxEventLoopUtilization: field.number('MAX_EVENT_LOOP_UTILIZATION', {
      description: 'Event-loop utilization of the last second above which requests are shed; 0 never sheds.',
      default: 0,
      minimum: 0,
      maximum: 1,
    }),
    maxHeapBytes: field.integer('MAX_HEAP_BYTES', {
      description: 'Heap in use above which requests are shed; 0 never sheds.',
      default: 0,
      minimum: 0,
    }),
    maxRssBytes: field.integer('MAX_RSS_BYTES', {
      description: 'Resident memory above which requests are shed; 0 never sheds.',
      default: 0,
      minimum: 0,
    }),
  };
}

/** What {@link httpFields} describes, loaded. */
export type HttpConfig = ConfigOf<ReturnType<typeof httpFields>>;

/**
 * Checks what no single field can.
 *
 * @throws ConfigError when production would run with a guessable API key.
 */
export function checkHttpConfig(config: Pick<HttpConfig, 'environment' | 'apiKey'>): void {
  if (config.environment === 'production' && config.apiKey !== undefined && config.apiKey.length < 24) {
    throw new ConfigError('SWITCHYARD_API_KEY', 'must have at least 24 characters in production');
  }
}

const hidden = '[hidden]';

/** Objects deeper than this are not logged: what a log line needs is near its top. */
const maximumDepth = 8;

type Kind = 'secret' | 'phone' | 'plain';

const secretEndings = [
  'authorization',
  'cookie',
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'privatekey',
  'encryptionkey',
  'encryptionkeys',
  'accesskey',
  'credentials',
  'signature',
  'hubsignature256',
  'databaseurl',
  'redisurl',
  'smtpurl',
];

const phoneKeys = new Set([
  'to',
  'from',
  'phone',
  'phones',
  'phonenumber',
  'displayphonenumber',
  'waid',
  'recipient',
  'recipients',
  'recipientid',
  'customer',
  'msisdn',
  'mobile',
  'contact',
  'userid',
]);

/** Kinds already worked out, so that a key costs one look-up. Bounded: keys can come from outside. */
const kinds = new Map<string, Kind>();

function kindOf(key: string): Kind {
  const known = kinds.get(key);
  if (known !== undefined) return known;
  const bare = key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  let kind: Kind = 'plain';
  if (secretEndings.some((ending) => bare.endsWith(ending))) kind = 'secret';
  else if (phoneKeys.has(bare) || bare.endsWith('phone') || bare.endsWith('phonenumber')) kind = 'phone';
  if (kinds.size < 2_000) kinds.set(key, kind);
  return kind;
}

/** Masks all but the last four digits of what looks like a phone number; other values (`to: "sent"`) pass. */
function maskPhone(value: string | number): string | number {
  const text = String(value);
  if (!/^\+?[\d ().-]{7,24}$/.test(text)) return typeof value === 'string' ? scrubText(value) : value;
  const digits = text.replaceAll(/\D/g, '');
  return digits.length < 7 ? value : `***${digits.slice(-4)}`;
}

const suspicious = /\+\d{7}|:\/\/[^/\s]*@|bearer |eyJ|EAA|token=|secret=|password=|api_?key=/i;

/**
 * Hides what can be told from free text alone: international numbers with their plus sign, credentials in URLs
 * and query strings, bearer tokens, JWTs and Graph API tokens.
 *
 * Numbers without a plus sign stay: in free text they can't be told from ids and times.
 */
export function scrubText(text: string): string {
  if (!suspicious.test(text)) return text;
  return text
    .replaceAll(/\+\d{3,11}(\d{4})(?!\d)/g, '***$1')
    .replaceAll(/:\/\/[^/\s@]*(?:@[^/\s@]*)*@/g, `://${hidden}@`)
    .replaceAll(/\bbearer +[^\s"',]+/gi, `Bearer ${hidden}`)
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, hidden)
    .replaceAll(/\bEAA[A-Za-z0-9]{16,}/g, hidden)
    .replaceAll(/((?:token|secret|password|api_?key)=)[^\s&"']+/gi, `$1${hidden}`);
}

function redactValue(key: string, value: unknown, depth: number): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  const kind = kindOf(key);
  if (kind === 'secret') return hidden;
  if (typeof value === 'string') return kind === 'phone' ? maskPhone(value) : scrubText(value);
  if (typeof value === 'number') return kind === 'phone' ? maskPhone(value) : value;
  if (typeof value !== 'object') return value;
  if (value instanceof Error) return describeError(value, depth);
  if (depth >= maximumDepth) return '[deep]';
  if (Array.isArray(value)) return value.map((entry) => redactValue(key, entry, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // Class instances (dates, buffers, sockets) are left to their own serializer or toJSON.
  if (prototype !== Object.prototype && prototype !== null) return value;
  return redactRecord(value as Record<string, unknown>, depth + 1);
}

function redactRecord(record: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    const value = redactValue(key, record[key], depth);
    // A key `__proto__` from a parsed body must stay data.
    if (key === '__proto__') Object.defineProperty(copy, key, { value, enumerable: true });
    else copy[key] = value;
  }
  return copy;
}

/** Copies what is logged with secrets hidden and phone numbers masked to their last four digits. */
export function redact(record: Record<string, unknown>): Record<string, unknown> {
  return redactRecord(record, 0);
}

/** What is logged of an error: its facts and its causes, scrubbed. */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return redactValue('error', error, depth);
  if (depth >= maximumDepth) return '[deep]';
  const described: Record<string, unknown> = {
    type: error.name,
    message: scrubText(error.message),
    stack: error.stack === undefined ? undefined : scrubText(error.stack),
  };
  // Own properties carry the code and details of coded, system and provider errors.
  for (const key of Object.keys(error)) {
    if (!(key in described) && key !== 'cause')
      described[key] = redactValue(key, Reflect.get(error, key), depth + 1);
  }
  if (error.cause !== undefined) described.cause = describeError(error.cause, depth + 1);
  if (error instanceof AggregateError) {
    described.errors = error.errors.map((each: unknown) => describeError(each, depth + 1));
  }
  return described;
}

import { ConfigError } from '@switchyard/config';
import type { RoleSettings } from './role-settings.ts';

/** What a connection's error says about the settings. */
export interface Explanation {
  error: ConfigError;
  /** Whether the server is only away: it may come back without a change of settings. */
  away: boolean;
}

/** Errors that no second try can mend, by what their text contains, in the order in which they are tried. */
const mistakes: readonly [RegExp, 'passwordVariable' | 'databaseVariable' | 'variable', string][] = [
  [
    /WRONGPASS|invalid username-password|invalid password/i,
    'passwordVariable',
    'is refused by Redis: wrong user name or password',
  ],
  [/NOAUTH|Authentication required/i, 'passwordVariable', 'must give the password that this Redis asks for'],
  [/NOPERM/, 'passwordVariable', 'belongs to a Redis user that lacks a permission'],
  [
    /DB index is out of range|invalid DB index/i,
    'databaseVariable',
    'names a database that this Redis does not have',
  ],
  [/cluster support disabled/i, 'variable', 'names a Redis that is not part of a cluster'],
  [/\bMOVED\b/, 'variable', 'names a node of a cluster; set REDIS_CLUSTER_NODES instead'],
  [/Protocol error|Unknown RESP type|unknown command/i, 'variable', 'names a server that is not a Redis'],
  [
    /wrong version number|EPROTO|certificate|packet length too long/i,
    'variable',
    'names a Redis that could not be reached by TLS',
  ],
];

/**
 * Puts an error of a connection into one line that names the variable at fault.
 * The line holds no secret: hosts and ports, never a URL.
 */
export function explainRedisError(role: RoleSettings, error: unknown): Explanation {
  if (error instanceof ConfigError) return { error, away: false };
  const reason = describe(error);
  for (const [pattern, variable, problem] of mistakes) {
    if (pattern.test(reason))
      return { error: new ConfigError(role[variable], `${problem} (${reason})`), away: false };
  }
  const where = role.addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
  const problem = `names a Redis that can't be reached at ${where} (${role.role} role: ${reason})`;
  return { error: new ConfigError(role.variable, problem), away: true };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'connection closed';
  // A cluster's error hides the reason, an aggregate of addresses has no text of its own.
  const inner = (error as { lastNodeError?: unknown }).lastNodeError;
  if (inner instanceof Error) return describe(inner);
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const text = error.message || (first instanceof Error ? first.message : error.name);
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

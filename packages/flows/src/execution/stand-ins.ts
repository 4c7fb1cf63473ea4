import { createHash } from 'node:crypto';
import { pathsOfTemplate, type TemplateScope } from './render-text.ts';

/** What stands for secrets in a call. */
export interface StandIns {
  /** For templates: each secret's stand-in, by the secret's name. */
  readonly scope: Pick<TemplateScope, 'secrets'>;
  /** For whoever makes the call: each secret's name, by its stand-in. */
  readonly names: Readonly<Record<string, string>>;
}

/** The names of the secrets that templates read. */
export function secretsOf(templates: readonly string[]): string[] {
  const names = templates
    .flatMap(pathsOfTemplate)
    .flatMap(([root, name]) => (root === 'secrets' && name !== undefined ? [name] : []));
  return [...new Set(names)];
}

/**
 * Makes stand-ins for the secrets that templates read: an engine that is replayed must not know them, and no journal may hold them.
 * They are made of everything that the templates can read, so that nobody who has a say in that can write one.
 *
 * @returns undefined where no secret is read.
 */
export function createStandIns(templates: readonly string[], scope: TemplateScope): StandIns | undefined {
  const names = secretsOf(templates);
  if (names.length === 0) return undefined;
  const mark = createHash('sha256').update(JSON.stringify(scope)).digest('hex').slice(0, 40);
  const standIns = names.map((name, index) => [name, `secret-${mark}-${index}-`] as const);
  return {
    scope: { secrets: Object.fromEntries(standIns) },
    names: Object.fromEntries(standIns.map(([name, standIn]) => [standIn, name])),
  };
}

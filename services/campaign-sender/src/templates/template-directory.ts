import type { Selectable } from 'kysely';
import type { Executor } from '../database/scope.ts';
import type { TemplatesTable } from '../database/tables.ts';
import { type DefinedComponent, normalizeLanguage, type TemplateFacts } from './template-facts.ts';

/** Templates in memory: a message costs no query for its template. */
export interface TemplateDirectory {
  /** @param wabaId null for a number whose account is not known. */
  find(
    merchantId: string,
    wabaId: string | null,
    name: string,
    language: string,
  ): Promise<TemplateFacts | undefined>;
  /** Has what changed read again before the next answer, after a change in this process. */
  forget(): void;
}

/** How late other processes' changes are noticed. */
const REFRESH_MS = 2000;
/** Clocks of processes differ, and a transaction commits later than its row says. */
const OVERLAP_MS = 30_000;
const ACCOUNTS_MOST = 5000;

type Account = Map<string, TemplateFacts>;

/**
 * Makes the directory. An account's templates are read when they are first asked for; after that one small query every two seconds of
 * sending templates, for all accounts together, reads what has changed.
 */
export function createTemplateDirectory(db: Executor): TemplateDirectory {
  const accounts = new Map<string, Promise<Account>>();
  let freshUntilMs = 0;
  let readUntilMs = 0;
  let refreshing: Promise<void> | undefined;

  async function load(merchantId: string, wabaId: string): Promise<Account> {
    const rows = await db
      .selectFrom('templates')
      .selectAll()
      .where('merchantId', '=', merchantId)
      .where('wabaId', '=', wabaId)
      .execute();
    return new Map(rows.map((row) => [keyOf(row.name, row.language), readTemplate(row)]));
  }

  async function refresh(): Promise<void> {
    const startedAtMs = Date.now();
    if (accounts.size > 0) {
      const rows = await db
        .selectFrom('templates')
        .selectAll()
        .where('updatedAtMs', '>=', readUntilMs - OVERLAP_MS)
        .execute();
      for (const row of rows) {
        const account = await accounts.get(accountKey(row.merchantId, row.wabaId));
        account?.set(keyOf(row.name, row.language), readTemplate(row));
      }
    }
    readUntilMs = startedAtMs;
    freshUntilMs = performance.now() + REFRESH_MS;
  }

  return {
    async find(merchantId, wabaId, name, language) {
      if (performance.now() > freshUntilMs) {
        refreshing ??= refresh().finally(() => {
          refreshing = undefined;
        });
        await refreshing;
      }
      const key = accountKey(merchantId, wabaId ?? '');
      let account = accounts.get(key);
      if (!account) {
        if (accounts.size >= ACCOUNTS_MOST) accounts.delete(accounts.keys().next().value!);
        account = load(merchantId, wabaId ?? '');
        accounts.set(key, account);
        account.catch(() => accounts.delete(key));
      }
      return (await account).get(keyOf(name, language));
    },
    forget() {
      freshUntilMs = 0;
    },
  };
}

function accountKey(merchantId: string, wabaId: string): string {
  return `${merchantId}\n${wabaId}`;
}

function keyOf(name: string, language: string): string {
  return `${name}\n${normalizeLanguage(language)}`;
}

/** A template's row as sending needs it. */
export function readTemplate(row: Selectable<TemplatesTable>): TemplateFacts {
  return {
    id: row.id,
    name: row.name,
    language: row.language,
    status: row.status,
    category: row.category,
    isNamed: row.isNamed === 1,
    components: row.components === null ? null : (JSON.parse(row.components) as DefinedComponent[]),
  };
}

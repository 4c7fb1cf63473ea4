import type { SecretBox } from '@switchyard/database';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { SignatureSettings } from '../custom/signature-settings.ts';
import type { AppRow, IngressTables, SourceRow } from '../database/tables.ts';
import { createFreshMap } from './create-fresh-map.ts';

/** An app that may sign webhooks. */
export interface SigningApp {
  readonly id: string;
  /** The current secret, and the previous one while it is being rotated. */
  readonly secrets: readonly string[];
  readonly verifyTokenHash: string | undefined;
  /** How a merchant's own system signs. */
  readonly signature?: SignatureSettings;
}

/** Where an event goes. */
export interface KnownSource extends Pick<SourceRow, 'merchantId' | 'appId' | 'sourceKey' | 'status'> {
  /** 1: the merchant's webhooks are not archived; null where there is no such merchant. */
  readonly archiveOff: number | null;
}

/** What intake must know of merchants, at most seconds old. What is in memory comes at once, the rest as a promise. */
export interface Directory {
  /** All apps of a kind. */
  apps(kind: string): readonly SigningApp[] | Promise<readonly SigningApp[]>;
  /** The source of a number. */
  source(kind: string, sourceKey: string): KnownSource | undefined | Promise<KnownSource | undefined>;
  /** A source of the account, for events that name no number. */
  account(kind: string, accountKey: string): KnownSource | undefined | Promise<KnownSource | undefined>;
  /**
   * The app of a number or shop: a hint which secret to try first, and no more, since the request is not verified yet. What was known
   * some time ago will do. Never throws.
   */
  guessApp(kind: string, sourceKey: string): string | undefined | Promise<string | undefined>;
  /** Forgets everything in this process, after a change made here. */
  forget(): void;
}

/** How old an answer may be: what another replica changed holds here after so long. */
const TTL_MS = 2000;
const MAX_ENTRIES = 50_000;

/** Creates the directory over the tables of merchants. */
export function createDirectory(settings: {
  db: Kysely<IngressTables>;
  secretBox: SecretBox;
  logger: Logger;
}): Directory {
  const { db, secretBox, logger } = settings;

  /** Opened secrets by sealed text, of each kind: to open those of thousands of apps every other second would be felt. */
  const openedByKind = new Map<string, ReadonlyMap<string, string>>();

  /** Sealed texts that could not be opened, and have been told of. */
  const closed = new Set<string>();

  function open(row: AppRow, opened: Map<string, string>): SigningApp {
    const openSecret = (sealed: string) => {
      const secret = openedByKind.get(row.kind)?.get(sealed) ?? secretBox.open(sealed, secretContext(row.id));
      opened.set(sealed, secret);
      return secret;
    };
    const secrets = [openSecret(row.sealedSecret)];
    const isRotating = (row.previousUntilMs ?? 0) > Date.now();
    if (isRotating && row.sealedPreviousSecret !== null) secrets.push(openSecret(row.sealedPreviousSecret));
    return {
      id: row.id,
      secrets,
      verifyTokenHash: row.verifyTokenHash ?? undefined,
      ...(row.signature !== null && { signature: JSON.parse(row.signature) as SignatureSettings }),
    };
  }

  const apps = createFreshMap<readonly SigningApp[]>({
    ttlMs: TTL_MS,
    maxEntries: 10,
    async load(kind) {
      const rows = await db
        .selectFrom('apps')
        .selectAll()
        .where('kind', '=', kind)
        .orderBy('createdAtMs')
        .execute();
      const opened = new Map<string, string>();
      const found = rows.flatMap((row) => {
        try {
          return [open(row, opened)];
        } catch (error) {
          // A secret whose key is gone stops its own app, not everyone's; told once, not at every load.
          if (!closed.has(row.sealedSecret))
            logger.error(
              { err: error, appId: row.id },
              "an app's secret can't be opened: its webhooks are refused",
            );
          closed.add(row.sealedSecret);
          return [];
        }
      });
      openedByKind.set(kind, opened);
      return found;
    },
  });

  const find = (column: 'sourceKey' | 'accountKey') =>
    createFreshMap<KnownSource | undefined>({
      ttlMs: TTL_MS,
      maxEntries: MAX_ENTRIES,
      async load(key) {
        const [kind = '', value = ''] = splitKey(key);
        return (
          db
            .selectFrom('sources')
            .leftJoin('merchants', 'merchants.id', 'sources.merchantId')
            .select([
              'sources.merchantId',
              'sources.appId',
              'sources.sourceKey',
              'sources.status',
              'merchants.archiveOff',
            ])
            .where('kind', '=', kind)
            .where(column, '=', value)
            // An account goes on being routed while one of its numbers is active.
            .orderBy('status')
            .orderBy('sources.createdAtMs')
            .limit(1)
            .executeTakeFirst()
        );
      },
    });
  const sources = find('sourceKey');
  const accounts = find('accountKey');

  return {
    apps: (kind) => apps.get(kind),
    source: (kind, sourceKey) => sources.get(`${kind} ${sourceKey}`),
    account: (kind, accountKey) => accounts.get(`${kind} ${accountKey}`),
    guessApp(kind, sourceKey) {
      const key = `${kind} ${sourceKey}`;
      const known = sources.peek(key) ?? sources.get(key);
      if (!(known instanceof Promise)) return known?.appId;
      return known.then(
        (source) => source?.appId,
        () => undefined,
      );
    },
    forget() {
      apps.forget();
      sources.forget();
      accounts.forget();
    },
  };
}

/** What a sealed secret is bound to: another app's row can't carry it. */
export function secretContext(appId: string): string {
  return `ingress.apps.secret:${appId}`;
}

function splitKey(key: string): [string, string] {
  const at = key.indexOf(' ');
  return [key.slice(0, at), key.slice(at + 1)];
}

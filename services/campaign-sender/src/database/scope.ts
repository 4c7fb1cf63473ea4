import type { JobToAdd } from '@switchyard/jobs';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** A connection or a transaction on campaign-sender's tables. */
export type Executor = Kysely<Tables>;

/** Which SQL is spoken. */
export type Dialect = 'sqlite' | 'mysql';

/** One transaction: its statements, and the jobs that follow from it and are added when it has committed. */
export interface Scope {
  trx: Transaction<Tables>;
  enqueue(job: JobToAdd): void;
}

/** Runs work in one transaction with an outbox; may run it again after a deadlock. */
export type InScope = <T>(work: (scope: Scope) => Promise<T>) => Promise<T>;

/** What the parts that read and write tables share. */
export interface Store {
  db: Executor;
  dialect: Dialect;
  inScope: InScope;
  now(): number;
}

export type { Kysely, Transaction } from 'kysely';
export type { Migration } from 'kysely/migration';
export { checkMysqlSql } from './check-mysql-sql.ts';
export { type ColumnKinds, columnKinds } from './column-kinds.ts';
export type { Database } from './database.ts';
export { databaseNow } from './database-clock.ts';
export { databaseFields } from './database-fields.ts';
export { type DialectName, dialectOf } from './dialects.ts';
export { dropIndex, ensureColumn, ensureIndex } from './ensure-schema.ts';
export {
  databaseAway,
  databaseBusy,
  leaseLost,
  queryOutsideTransaction,
  secretUnreadable,
  sqlNotPortable,
  transactionNested,
} from './errors.ts';
export { isUniqueViolation } from './is-unique-violation.ts';
export { createLeases, type Lease, type Leases } from './leases.ts';
export { type LeasesTable, leasesMigration } from './leases-migration.ts';
export { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
export { createSecretBox, type SecretBox } from './secret-box.ts';
export { type RowUpdate, updateRows } from './update-rows.ts';
export { insertIgnore, upsert } from './write-rows.ts';

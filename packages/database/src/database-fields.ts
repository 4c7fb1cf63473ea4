import { field } from '@switchyard/config';

/** A key that everyone knows, so that nothing need be set up on a developer's machine; production refuses to start without its own. */
const developmentKeys = 'development:c3dpdGNoeWFyZC1kZXZlbG9wbWVudC1vbmx5LWtleSE=';

/** The settings of {@link openDatabase} and {@link createSecretBox}. */
export const databaseFields = {
  databaseUrl: field.url('DATABASE_URL', {
    description:
      'MySQL 8.4, as mysql://user:password@host:3306[/prefix][?tls=true]; unset means SQLite files in DATA_DIR.',
    protocols: ['mysql:'],
    optional: true,
    secret: true,
  }),
  dataDir: field.string('DATA_DIR', {
    description: 'Folder of the SQLite files, and of what else a service keeps on disk.',
    default: './data',
  }),
  databasePoolSize: field.integer('DATABASE_POOL_SIZE', {
    description: 'Connections of one process to MySQL.',
    default: 10,
    minimum: 1,
    maximum: 500,
  }),
  encryptionKeys: field.string('ENCRYPTION_KEYS', {
    description:
      'Keys of stored secrets, as id:key,… (32 bytes in base64: openssl rand -base64 32). The first seals, all open.',
    default: developmentKeys,
    requiredInProduction: true,
    secret: true,
  }),
};

import type { ConfigOf } from '@switchyard/config';
import { databaseFields } from '@switchyard/database';
import { queueFields } from '@switchyard/jobs';
import { redisFields } from '@switchyard/redis';
import { httpFields } from '@switchyard/service-kit';

/**
 * The settings that every service has: HTTP, Redis, database, queues. A service adds its own beside them.
 *
 * @param defaultPort where the service listens unless `PORT` says otherwise.
 */
export function runtimeFields(defaultPort: number) {
  return { ...httpFields(defaultPort), ...redisFields, ...databaseFields, ...queueFields };
}

/** What {@link runtimeFields} describes, loaded. */
export type RuntimeConfig = ConfigOf<ReturnType<typeof runtimeFields>>;

import fastifyRedis from '@fastify/redis';
import type { FastifyInstance } from 'fastify';
import type { Cluster, Redis } from 'ioredis';

/** Clients by role. */
export interface RedisRoles {
  cache?: Redis | Cluster;
  queue?: Redis | Cluster;
  dedup?: Redis | Cluster;
}

/**
 * Registers the roles as `app.redis.cache`, `.queue` and `.dedup`. Who made a client closes it.
 *
 * The plugin waits for a client to be ready, which would let a role that fails open (cache, dedup) stop the start:
 * a client that isn't ready is put in place without it.
 */
export async function registerRedis(app: FastifyInstance, roles: RedisRoles): Promise<void> {
  const pending: [string, Redis | Cluster][] = [];
  for (const [namespace, client] of Object.entries(roles) as [string, Redis | Cluster | undefined][]) {
    if (!client) continue;
    if (client.status === 'ready') await app.register(fastifyRedis, { namespace, client: client as Redis });
    else pending.push([namespace, client]);
  }
  if (pending.length === 0) return;
  if (!app.hasDecorator('redis')) app.decorate('redis', Object.create(null));
  for (const [namespace, client] of pending) app.redis[namespace] = client as Redis;
}

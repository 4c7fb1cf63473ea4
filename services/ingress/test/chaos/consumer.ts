import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

/**
 * The consumer of `inbound`, as consumers here are: it writes the job's id under a unique key in the transaction of its effect. Done jobs
 * leave Redis at once, which is the worst case for the queue's own memory of them.
 */
export function startConsumer(settings: { redisUrl: string; folder: string }) {
  mkdirSync(settings.folder, { recursive: true });
  const database = new DatabaseSync(join(settings.folder, 'effects.sqlite'));
  database.exec('pragma journal_mode = wal; pragma synchronous = off');
  database.exec('create table processed (jobId text primary key)');
  database.exec('create table effects (eventId text not null)');
  const mark = database.prepare('insert into processed (jobId) values (?) on conflict do nothing');
  const apply = database.prepare('insert into effects (eventId) values (?)');
  const counted = database.prepare(
    'select count(*) as events, count(distinct eventId) as different from effects',
  );
  const connection = new Redis(`${settings.redisUrl}/1`, { maxRetriesPerRequest: null });
  // Its absence is part of the exercise.
  connection.on('error', () => undefined);
  let repeats = 0;
  const worker = new Worker(
    'inbound',
    async ({ id, data }) => {
      database.exec('begin');
      const isNew = mark.run(String(id)).changes > 0;
      if (isNew) apply.run(String(data.payload.message.id));
      else repeats += 1;
      database.exec('commit');
    },
    {
      connection,
      concurrency: 20,
      removeOnComplete: { count: 0 },
      stalledInterval: 5000,
      lockDuration: 10_000,
    },
  );
  worker.on('error', () => undefined);

  return {
    /** Jobs that came although they had been processed; their effect was not repeated. */
    get repeats() {
      return repeats;
    },
    count: () => counted.get() as { events: number; different: number },
    effects(): Map<string, number> {
      const rows = database.prepare('select eventId, count(*) as times from effects group by eventId').all();
      return new Map(rows.map(({ eventId, times }) => [String(eventId), Number(times)]));
    },
    async close() {
      await worker.close();
      connection.disconnect();
      database.close();
    },
  };
}

import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueFigures, QueueFiguresReader } from '../queues/create-queue-figures.ts';

const states = ['waiting', 'active', 'completed', 'failed', 'delayed'] as const;

/**
 * Adds the queues' metrics: read at a scrape, all together once. While Redis is away they are absent, not stale.
 *
 * Totals are those of BullMQ's own exporter, counted by the workers in Redis, so every instance shows the same ones.
 */
export function registerQueueMetrics(registry: Registry, figures: QueueFiguresReader): void {
  const registers = [registry];
  type Set = (queue: string, value: number) => void;

  function gauge(name: string, help: string, read: (queue: QueueFigures, set: Set) => void): void {
    new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers,
      async collect() {
        const all = (await figures.readShared()) ?? [];
        this.reset();
        for (const each of all) read(each, (queue, value) => this.set({ queue }, value));
      },
    });
  }

  function counter(name: string, help: string, kind: 'completed' | 'failed'): void {
    new Counter({
      name,
      help,
      labelNames: ['queue'],
      registers,
      async collect() {
        const all = (await figures.readShared()) ?? [];
        // The total is Redis's: set anew, since a counter of this client can only be added to.
        this.reset();
        for (const { counts, throughput } of all) this.inc({ queue: counts.name }, throughput[kind].total);
      },
    });
  }

  new Gauge({
    name: 'bullmq_job_count',
    help: 'Jobs of a queue by state; waiting includes jobs with a priority.',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      const all = (await figures.readShared()) ?? [];
      this.reset();
      for (const { counts } of all)
        for (const state of states) this.set({ queue: counts.name, state }, counts[state]);
    },
  });
  counter('bullmq_job_completed_total', 'Jobs that were completed.', 'completed');
  counter('bullmq_job_failed_total', 'Jobs that failed for good.', 'failed');
  gauge(
    'bullmq_oldest_waiting_seconds',
    'For how long the oldest waiting job has been due; 0 where none waits.',
    ({ counts, oldestWaitingMs = 0 }, set) => set(counts.name, oldestWaitingMs / 1000),
  );
  gauge('bullmq_workers', 'Workers that listen; absent where Redis hides its clients.', (each, set) => {
    if (each.workers !== undefined) set(each.counts.name, each.workers);
  });
  gauge('bullmq_queue_paused', '1 while an operator holds the queue.', ({ counts }, set) =>
    set(counts.name, counts.isPaused ? 1 : 0),
  );
  gauge('bullmq_queue_degraded', '1 while something is wrong with the queue.', ({ counts, problems }, set) =>
    set(counts.name, problems.length > 0 ? 1 : 0),
  );
}

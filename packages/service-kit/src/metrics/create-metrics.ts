import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createLightHistogram, type LightHistogramLine } from './create-light-histogram.ts';
import { instrumentRedis, type RedisToInstrument } from './instrument-redis.ts';

/** What a worker reports of a job. Has the shape of a worker's observer without knowing workers. */
export interface FinishedJob {
  queue: string;
  name: string;
  outcome: string;
  /** From when it could have run until it did. */
  waitMs: number;
  processMs: number;
}

/** The metrics of a process and the ways to feed them. */
export interface Metrics {
  readonly registry: Registry;
  /** @param seconds from the first byte read to the last byte written. */
  observeHttp(labels: { method: string; route: string; status: number }, seconds: number): void;
  /** To be passed to every worker. */
  readonly jobObserver: {
    onFinished(job: FinishedJob): void;
    onStalled(job: { queue: string }): void;
  };
  /** Measures every command of an ioredis client under the label `role`. */
  instrumentRedis(client: RedisToInstrument, role: string): void;
  /** Adds a gauge whose values are read at each scrape. `collect` sets them; a failure leaves the last values. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (set: (labels: Record<string, string>, value: number) => void) => void | Promise<void>,
  ): void;
  /** Adds a counter. */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): { add(labels: Record<string, string>, count?: number): void };
}

const httpBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const waitBuckets = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];
const processBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600];
const redisBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

/**
 * Creates the metrics of one process: Node's own (event-loop delay among them), HTTP, jobs and Redis.
 *
 * Label values are bounded: routes are patterns, statuses are classes.
 *
 * @param settings.service label of every metric.
 */
export function createMetrics(settings: { service: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: settings.service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const http = createLightHistogram(registry, {
    name: 'switchyard_http_request_duration_seconds',
    help: 'Time to answer an HTTP request.',
    bounds: httpBuckets,
  });
  const finished = new Counter({
    name: 'switchyard_jobs_total',
    help: 'Job attempts that ended, by outcome.',
    labelNames: ['queue', 'name', 'outcome'],
    registers,
  });
  const stalled = new Counter({
    name: 'switchyard_jobs_stalled_total',
    help: 'Jobs whose worker lost its hold on them.',
    labelNames: ['queue'],
    registers,
  });
  const wait = new Histogram({
    name: 'switchyard_job_wait_seconds',
    help: 'Time a job waited for a worker.',
    labelNames: ['queue', 'name'],
    buckets: waitBuckets,
    registers,
  });
  const processing = new Histogram({
    name: 'switchyard_job_process_seconds',
    help: 'Time a worker took for a job.',
    labelNames: ['queue', 'name'],
    buckets: processBuckets,
    registers,
  });
  const redis = createLightHistogram(registry, {
    name: 'switchyard_redis_round_trip_seconds',
    help: 'Time from sending a command to Redis to its answer; blocking commands are left out.',
    bounds: redisBuckets,
  });
  /** By route, method and class of status, so that a request finds its line without making labels. */
  const httpLines = new Map<string, Map<string, LightHistogramLine[]>>();

  function httpLine(method: string, route: string, statusClass: number): LightHistogramLine {
    const known = httpLines.get(route)?.get(method)?.[statusClass];
    if (known) return known;
    const line = http.line({ method, route, status_class: `${statusClass}xx` });
    const byMethod = httpLines.get(route) ?? new Map<string, LightHistogramLine[]>();
    const byClass = byMethod.get(method) ?? [];
    byClass[statusClass] = line;
    httpLines.set(route, byMethod.set(method, byClass));
    return line;
  }

  return {
    registry,
    observeHttp({ method, route, status }, seconds) {
      httpLine(method, route, Math.floor(status / 100)).observe(seconds);
    },
    jobObserver: {
      onFinished({ queue, name, outcome, waitMs, processMs }) {
        finished.inc({ queue, name, outcome });
        wait.observe({ queue, name }, Math.max(0, waitMs) / 1_000);
        processing.observe({ queue, name }, Math.max(0, processMs) / 1_000);
      },
      onStalled({ queue }) {
        stalled.inc({ queue });
      },
    },
    instrumentRedis(client, role) {
      const lines = {
        ok: redis.line({ role, outcome: 'ok' }),
        error: redis.line({ role, outcome: 'error' }),
      };
      instrumentRedis(client, (outcome, seconds) => lines[outcome].observe(seconds));
    },
    gauge(name, help, labelNames, collect) {
      new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        async collect() {
          try {
            const values: [Record<string, string>, number][] = [];
            await collect((labels, value) => values.push([labels, value]));
            // Labels that are gone must not keep their last value.
            this.reset();
            for (const [labels, value] of values) this.set(labels, value);
          } catch {
            // One source that is away must not take the whole scrape with it.
          }
        },
      });
    },
    counter(name, help, labelNames) {
      const counter = new Counter({ name, help, labelNames: [...labelNames], registers });
      return { add: (labels, count = 1) => counter.inc(labels, count) };
    },
  };
}

import type { Figures, Stand } from './start-stand.ts';

/** What everybody has used so far. */
export interface Snapshot {
  worker: Figures;
  redisCpuMs: number;
  simulatorCpuMs: number;
  mysqlCpuMs: number;
}

/** What one message costs. */
export interface Cost {
  workerCpuUs: number;
  redisCpuUs: number;
  simulatorCpuUs: number;
  /** 0 on SQLite, whose cost is the worker's. */
  mysqlCpuUs: number;
  sqlTrips: number;
  redisTrips: number;
}

export async function snapshot(stand: Stand): Promise<Snapshot> {
  return {
    worker: await stand.figures(),
    redisCpuMs: stand.cpuOf('redis'),
    simulatorCpuMs: stand.cpuOf('simulator'),
    mysqlCpuMs: stand.cpuOf('mysql'),
  };
}

export function costBetween(before: Snapshot, after: Snapshot, messages: number): Cost {
  return {
    workerCpuUs: ((after.worker.cpuMs - before.worker.cpuMs) * 1000) / messages,
    redisCpuUs: ((after.redisCpuMs - before.redisCpuMs) * 1000) / messages,
    simulatorCpuUs: ((after.simulatorCpuMs - before.simulatorCpuMs) * 1000) / messages,
    mysqlCpuUs: ((after.mysqlCpuMs - before.mysqlCpuMs) * 1000) / messages,
    sqlTrips: (after.worker.sql - before.worker.sql) / messages,
    redisTrips: (after.worker.redis - before.worker.redis) / messages,
  };
}

/** Prints the medians of several rounds. */
export function printCost(rounds: readonly Cost[]): void {
  const of = (read: (cost: Cost) => number, digits: number) => median(rounds.map(read)).toFixed(digits);
  const mysql = rounds.some(({ mysqlCpuUs }) => mysqlCpuUs > 0)
    ? `, ${of((c) => c.mysqlCpuUs, 0)} µs database`
    : '';
  console.log(
    `  per message: CPU ${of((c) => c.workerCpuUs, 0)} µs worker, ${of((c) => c.redisCpuUs, 0)} µs Redis, ${of((c) => c.simulatorCpuUs, 0)} µs simulator${mysql}; round trips ${of((c) => c.sqlTrips, 2)} SQL, ${of((c) => c.redisTrips, 2)} Redis`,
  );
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The value below which a share of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

import { createHash } from 'node:crypto';

/** A number from 0 (included) to 1 (excluded) for a step of a run: the same whenever it is drawn. */
export function draw(seed: string, step: number): number {
  return createHash('sha256').update(`${seed}:${step}`).digest().readUInt32BE(0) / 2 ** 32;
}

import { randomBytes } from 'node:crypto';

let lastMs = 0;
let counter = 0;

/** An id that sorts by time, within a process by order, and is unique over processes. */
export function createRowId(): string {
  const now = Date.now();
  // A clock set back must not reorder what this process writes.
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else counter++;
  const time = lastMs.toString(16).padStart(12, '0');
  return `${time}${counter.toString(16).padStart(6, '0')}${randomBytes(6).toString('hex')}`;
}

import { databaseAway } from '@switchyard/database';
import { withinDeadline } from '../intake/within-deadline.ts';

/** A map of what a loader knows, never older than its TTL while the loader answers. */
export interface FreshMap<V> {
  /**
   * The value of a key; loaded at most once at a time per key. What is fresh comes at once and not as a promise: each one costs the
   * hot path a turn through the microtask queue.
   *
   * @throws what the loader throws, where no value of the last hour can stand in.
   */
  get(key: string): V | Promise<V>;
  /** What is known now, however old. Never loads. */
  peek(key: string): V | undefined;
  /** Forgets one key or all, so that the next call loads. */
  forget(key?: string): void;
}

/** While the database is away, what was true this long ago still routes events. */
const STALE_FOR_MS = 3_600_000;

/** A lookup that takes longer is given up, so that a hung database does not hang a webhook. */
const LOAD_TIMEOUT_MS = 1000;

interface Entry<V> {
  readonly value: V;
  readonly loadedAtMs: number;
  freshUntilMs: number;
}

/**
 * Creates a map whose entries are loaded again after `ttlMs`. It is how a change of a merchant's sources or secrets reaches every
 * replica within seconds, without secrets ever leaving the process.
 *
 * @param settings.maxEntries beyond it, what was loaded longest ago goes first.
 */
export function createFreshMap<V>(settings: {
  ttlMs: number;
  maxEntries: number;
  load: (key: string) => Promise<V>;
}): FreshMap<V> {
  const { ttlMs, maxEntries } = settings;
  const entries = new Map<string, Entry<V>>();
  const loading = new Map<string, Promise<V>>();

  function start(key: string): Promise<V> {
    const under = loading.get(key);
    if (under) return under;
    // Taken before the query: what changes while it runs may not be in its result, and must count from then.
    const loadedAtMs = performance.now();
    const promise: Promise<V> = settings.load(key).then(
      (value) => {
        // Forgotten meanwhile: the result may be from before the change.
        if (loading.get(key) === promise) {
          loading.delete(key);
          entries.delete(key);
          entries.set(key, { value, loadedAtMs, freshUntilMs: loadedAtMs + ttlMs });
          if (entries.size > maxEntries) entries.delete(entries.keys().next().value!);
        }
        return value;
      },
      (error: unknown) => {
        if (loading.get(key) === promise) loading.delete(key);
        throw error;
      },
    );
    // Those who wait see the failure; a load that all have given up on must not end the process.
    promise.catch(() => undefined);
    loading.set(key, promise);
    return promise;
  }

  async function load(key: string, known: Entry<V> | undefined): Promise<V> {
    const startedAtMs = performance.now();
    try {
      return await withinDeadline(start(key), LOAD_TIMEOUT_MS, () =>
        databaseAway('the database did not answer in time; try again', { delayMs: 5000 }),
      );
    } catch (error) {
      if (!known || startedAtMs - known.loadedAtMs > STALE_FOR_MS) throw error;
      // Not every webhook shall wait for a database that is away.
      known.freshUntilMs = performance.now() + ttlMs;
      return known.value;
    }
  }

  return {
    get(key) {
      const known = entries.get(key);
      return known && performance.now() < known.freshUntilMs ? known.value : load(key, known);
    },
    peek: (key) => entries.get(key)?.value,
    forget(key) {
      if (key === undefined) {
        entries.clear();
        loading.clear();
        return;
      }
      entries.delete(key);
      loading.delete(key);
    },
  };
}

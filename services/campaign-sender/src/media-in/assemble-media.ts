import type { FileStore } from '@switchyard/files';
import type { Runtime } from '@switchyard/runtime';
import type { ServiceConfig } from '../config.ts';
import type { Store } from '../database/scope.ts';
import type { Tables } from '../database/tables.ts';
import type { SenderDirectory } from '../senders/sender-directory.ts';
import { createMediaFetcher, type MediaFetcher } from './create-media-fetcher.ts';
import { createGraphMedia } from './graph-media.ts';
import { pruneFiles } from './media-store.ts';

const SWEEP_INTERVAL_MS = 1000;
const PRUNE_INTERVAL_MS = 60_000;
const PRUNED_AT_ONCE = 100;
const DAY_MS = 86_400_000;

/** Files of inbound messages: fetched, waited for, pruned. Runs with the runtime's tasks. */
export function assembleMedia(
  runtime: Runtime<Tables, ServiceConfig>,
  { store, senders, files }: { store: Store; senders: SenderDirectory; files: FileStore },
): MediaFetcher {
  const { config, logger } = runtime;
  const graph = createGraphMedia({
    url: config.whatsappApiUrl,
    version: config.whatsappApiVersion,
    connections: config.mediaConcurrency,
    hosts: config.mediaHosts,
  });
  runtime.onClose('media endpoint', () => graph.close());
  const media = createMediaFetcher({
    ...{ store, senders, graph, files, logger },
    concurrency: config.mediaConcurrency,
    timeoutMs: config.mediaTimeoutMs,
  });
  runtime.onClose('media', () => media.close());
  runtime.addTask({ name: 'fetch media', intervalMs: SWEEP_INTERVAL_MS, run: () => media.sweep() });
  runtime.addTask({
    name: 'prune files',
    intervalMs: PRUNE_INTERVAL_MS,
    run: async (signal) => {
      const retentionMs = config.mediaRetentionDays * DAY_MS;
      while (!signal.aborted && (await pruneFiles(store, files, retentionMs, PRUNED_AT_ONCE)) > 0);
    },
  });
  return media;
}

import type { IncomingHttpHeaders } from 'node:http';
import type { JobMeta } from '@switchyard/jobs';
import { replayUnsupported } from '../errors.ts';
import type { IntakeResult } from './create-event-intake.ts';

/** A webhook as it was kept. */
export interface KeptWebhook {
  readonly kind: string;
  readonly appId: string;
  readonly sourceKey?: string | undefined;
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Ingress has seen it; only the queue and the consumers decide whether it is a repeat. */
  readonly isFromArchive?: boolean;
}

/** Takes a kept webhook in again. @throws as the intake of its kind; CodedError REPLAY_UNSUPPORTED */
export type Replay = (kept: KeptWebhook, meta: JobMeta) => Promise<IntakeResult>;

/** Finds the intake for a kept webhook by its kind. */
export function createReplay(byKind: Readonly<Record<string, Replay>>): Replay {
  return async (kept, meta) => {
    const replay = Object.hasOwn(byKind, kept.kind) ? byKind[kept.kind] : undefined;
    if (!replay)
      throw replayUnsupported('events of this kind are not replayed', { details: { kind: kept.kind } });
    return replay(kept, meta);
  };
}

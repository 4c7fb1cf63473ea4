import type { AcceptedMessage, Repeat } from './accepted-log.ts';
import type { Incident } from './incident-log.ts';
import type { StatusName } from './render-status.ts';

/** A message from a person, as it went into a webhook. */
export interface InboundMessage {
  readonly sequence: number;
  readonly atMs: number;
  readonly phoneNumberId: string;
  readonly from: string | undefined;
  readonly userId: string;
  /** The entry of `messages[]`. */
  readonly message: Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };
}

/** Everything that happens inside, for those who watch. */
export type SimulatorEvent =
  | { readonly kind: 'accepted'; readonly message: AcceptedMessage }
  | {
      readonly kind: 'rejected';
      readonly phoneNumberId: string;
      readonly code: number;
      readonly message: string;
    }
  | { readonly kind: 'status'; readonly wamid: string; readonly to: string; readonly status: StatusName }
  | { readonly kind: 'inbound'; readonly inbound: InboundMessage }
  | { readonly kind: 'business-read'; readonly messageId: string; readonly typing: boolean }
  | { readonly kind: 'repeat'; readonly repeat: Repeat }
  | { readonly kind: 'incident'; readonly incident: Incident }
  | {
      readonly kind: 'webhook-failed';
      readonly attempt: number;
      readonly updates: number;
      readonly reason: string;
    }
  | { readonly kind: 'reset' };

/** Where events are heard. */
export interface EventBus {
  /** Whether anybody listens: building an event costs, so hot paths ask first. */
  readonly hasListeners: boolean;
  emit(event: SimulatorEvent): void;
  /** @returns what ends the listening. */
  listen(listener: (event: SimulatorEvent) => void): () => void;
}

/** Creates an {@link EventBus}. */
export function createEventBus(): EventBus {
  const listeners = new Set<(event: SimulatorEvent) => void>();
  return {
    get hasListeners() {
      return listeners.size > 0;
    },
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Stand } from './start-stand.ts';

/** One message whose time is taken. */
export interface Probe {
  messageId: string;
  person: number;
  senderIndex: number;
  lane: 'transactional' | 'flow';
}

/** Adds a message and remembers when. */
export async function sendProbe(stand: Stand, probe: Probe, sentAt: Map<string, number>): Promise<void> {
  sentAt.set(probe.messageId, Date.now());
  await stand.producer.add({
    queue: 'messages',
    name: 'send-message',
    payload: {
      messageId: probe.messageId,
      lane: probe.lane,
      to: `1555${1_000_000 + probe.person}`,
      content: `probe ${probe.messageId}`,
      senderId: `snd_load_${String(probe.senderIndex).padStart(5, '0')}`,
    },
  });
}

/** Follows what the simulator accepts from now on. @returns the time from asking to acceptance of each probe, once all are there. */
export async function collectLatencies(
  stand: Stand,
  sentAt: ReadonlyMap<string, number>,
  after: number,
  timeoutMs: number,
): Promise<{ latencies: Map<string, number>; after: number }> {
  const latencies = new Map<string, number>();
  const untilMs = performance.now() + timeoutMs;
  let last = after;
  while (latencies.size < sentAt.size && performance.now() < untilMs) {
    const { messages } = await stand.simulator<{
      messages: { sequence: number; messageId?: string; atMs: number }[];
    }>('GET', `accepted?after=${last}&limit=5000`);
    for (const { sequence, messageId, atMs } of messages) {
      last = sequence;
      const asked = messageId === undefined ? undefined : sentAt.get(messageId);
      if (asked !== undefined) latencies.set(messageId!, atMs - asked);
    }
    if (messages.length === 0) await pause(50);
  }
  return { latencies, after: last };
}

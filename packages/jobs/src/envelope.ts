import { payloadInvalid } from './errors.ts';
import type { JobMeta } from './job-types.ts';

/** Version of the envelope itself; payloads evolve by optional fields. */
export const envelopeVersion = 1;

/** A job's data as BullMQ holds it. */
export interface Envelope {
  v: number;
  payload: unknown;
  meta?: JobMeta;
}

/**
 * Reads a job's data.
 *
 * @throws PAYLOAD_INVALID when it is no envelope, or one of a later version
 */
export function readEnvelope(data: unknown): Envelope {
  if (typeof data !== 'object' || data === null || !('v' in data) || !('payload' in data))
    throw payloadInvalid('the job was not added by a producer of this project: its data has no envelope', {
      details: { field: 'v' },
    });
  if (data.v !== envelopeVersion)
    throw payloadInvalid(
      `the job's envelope has version ${String(data.v)}; this worker reads ${envelopeVersion}`,
      {
        details: { field: 'v' },
      },
    );
  return data as Envelope;
}

/** The meta of whatever the data is; strings only, so that a foreign job can't break a log line. */
export function metaOf(data: unknown): JobMeta {
  if (typeof data !== 'object' || data === null || !('meta' in data)) return {};
  const { meta } = data;
  if (typeof meta !== 'object' || meta === null) return {};
  const { correlationId, traceparent, merchantId } = meta as Record<string, unknown>;
  return {
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof merchantId === 'string' ? { merchantId } : {}),
  };
}

import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { toHexDigest } from './read-media.ts';

/** Why a file did not come. `gone` and `refused` are final; `later` is tried again. */
export class MediaError extends Error {
  readonly kind: 'gone' | 'refused' | 'later';
  readonly code: string;

  constructor(kind: MediaError['kind'], code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MediaError';
    this.kind = kind;
    this.code = code;
  }
}

/** What the provider says of a file. */
export interface MediaInfo {
  url: string;
  mimeType: string | null;
  /** Hex. */
  sha256: string | null;
  bytes: number | null;
}

/** The provider's media endpoint. Both calls need the number's token. */
export interface GraphMedia {
  /** Asks where a file is; the answer's address lives 5 minutes. @throws MediaError */
  lookUp(providerMediaId: string, accessToken: string, signal: AbortSignal): Promise<MediaInfo>;
  /** Opens the file at such an address. @throws MediaError `MEDIA_URL_EXPIRED` when it has to be asked for anew. */
  open(url: string, accessToken: string, signal: AbortSignal): Promise<Readable>;
  close(): Promise<void>;
}

/** How to reach it. */
export interface GraphMediaOptions {
  url: string;
  version: string;
  connections: number;
  /** Hosts, with all below them, that files may come from beside the API's own: they are shown the token. */
  hosts: readonly string[];
}

const ANSWER_MOST = 64 * 1024;

/** Connects to the media endpoint. Redirects are not followed: the token must not go where nobody has looked. */
export function createGraphMedia({ url, version, connections, hosts }: GraphMediaOptions): GraphMedia {
  const base = new URL(url);
  const agent = new Agent({ connections, connect: { timeout: 10_000 }, bodyTimeout: 30_000 });
  const prefix = `${base.origin}${base.pathname.replace(/\/$/, '')}/${version}/`;

  function checkHost(address: string): URL {
    const target = URL.canParse(address) ? new URL(address) : undefined;
    const isOurs = target?.host === base.host && target.protocol === base.protocol;
    const isTheirs =
      target?.protocol === 'https:' &&
      hosts.some((host) => target.hostname === host || target.hostname.endsWith(`.${host}`));
    if (!target || !(isOurs || isTheirs))
      throw new MediaError(
        'refused',
        'MEDIA_HOST_UNKNOWN',
        'the file is at a host that is not the provider’s',
      );
    return target;
  }

  async function call(target: string | URL, accessToken: string, signal: AbortSignal) {
    try {
      return await request(target, {
        dispatcher: agent,
        headers: { authorization: `Bearer ${accessToken}`, 'user-agent': 'switchyard' },
        signal,
      });
    } catch (error) {
      throw new MediaError('later', 'MEDIA_UNREACHABLE', 'the provider does not answer', error);
    }
  }

  return {
    async lookUp(providerMediaId, accessToken, signal) {
      const { statusCode, body } = await call(
        prefix + encodeURIComponent(providerMediaId),
        accessToken,
        signal,
      );
      const answer = await readJson(body);
      if (statusCode !== 200) throw explainRefusal(statusCode, answer);
      const { url: address, mime_type, sha256, file_size } = answer;
      if (typeof address !== 'string')
        throw new MediaError('later', 'MEDIA_UNREADABLE', 'the provider’s answer names no address');
      const bytes = Number(file_size);
      return {
        url: address,
        mimeType: typeof mime_type === 'string' ? mime_type.slice(0, 255) : null,
        sha256: toHexDigest(sha256),
        bytes: Number.isSafeInteger(bytes) && bytes >= 0 && file_size !== undefined ? bytes : null,
      };
    },
    async open(address, accessToken, signal) {
      const { statusCode, body } = await call(checkHost(address), accessToken, signal);
      if (statusCode === 200) return body;
      body.on('error', () => {});
      body.destroy();
      if (statusCode === 404 || statusCode === 403 || statusCode === 410)
        throw new MediaError('later', 'MEDIA_URL_EXPIRED', 'the address of the file has run out');
      throw new MediaError('later', 'MEDIA_UNREACHABLE', `the provider answers ${statusCode}`);
    },
    close: () => agent.close(),
  };
}

type Loose = Record<string, unknown>;

async function readJson(body: Readable): Promise<Loose> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > ANSWER_MOST) throw new Error('too long');
      chunks.push(chunk);
    }
  } catch (error) {
    throw new MediaError('later', 'MEDIA_UNREACHABLE', 'the provider’s answer broke off', error);
  }
  try {
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Loose) : {};
  } catch {
    return {};
  }
}

/** 100 with 33 is "no such object": the file is older than 7 days, or was never the number's. */
function explainRefusal(statusCode: number, answer: Loose): MediaError {
  const error = (answer.error ?? {}) as { code?: unknown };
  if (statusCode === 404 || error.code === 100)
    return new MediaError('gone', 'MEDIA_GONE', 'the provider has the file no more');
  if (statusCode === 401 || error.code === 190 || error.code === 0)
    return new MediaError('later', 'SENDER_TOKEN_INVALID', 'the provider refuses the token of the number');
  return new MediaError(
    'later',
    'MEDIA_UNREACHABLE',
    `the provider answers ${statusCode} (${String(error.code ?? '')})`,
  );
}

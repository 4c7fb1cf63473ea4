import { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';

/** How a call besides sending ended. */
export type GraphAnswer =
  | { kind: 'ok'; body: Record<string, unknown> }
  /** The provider's own error. */
  | { kind: 'refused'; code: number; details: string }
  /** No answer that can be read: nobody knows what became of it. */
  | { kind: 'away'; cause: string };

/** The Graph API besides sending: look-ups and uploads, all of which may be made again. */
export interface GraphApi {
  get(path: string, token: string, query?: Record<string, string>): Promise<GraphAnswer>;
  post(path: string, token: string, body: Record<string, unknown>): Promise<GraphAnswer>;
  /** Uploads a file as `multipart/form-data`. */
  upload(path: string, token: string, form: UploadForm): Promise<GraphAnswer>;
  close(): Promise<void>;
}

/** One file and the fields beside it. */
export interface UploadForm {
  fields: Readonly<Record<string, string>>;
  fileName: string;
  mimeType: string;
  bytes: number;
  /** Read once; destroyed when the call ends early. */
  content: Readable;
}

/** How to reach it. */
export interface GraphApiOptions {
  /** Base address; a path is kept. */
  url: string;
  version: string;
  timeoutMs: number;
  /** Longest upload. */
  uploadTimeoutMs: number;
  connections: number;
}

const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** Connects to the Graph API with a pool of its own, so that a slow look-up takes no connection from sending. */
export function createGraphApi(options: GraphApiOptions): GraphApi {
  const { url, version, timeoutMs, uploadTimeoutMs, connections } = options;
  const base = new URL(url);
  const pool = new Pool(base.origin, {
    connections,
    pipelining: 1,
    keepAliveTimeout: 4000,
    connect: { timeout: Math.min(timeoutMs, 10_000) },
    headersTimeout: uploadTimeoutMs,
    bodyTimeout: timeoutMs,
  });
  const prefix = `${base.pathname.replace(/\/$/, '')}/${version}/`;

  async function call(
    request: Omit<Dispatcher.RequestOptions, 'path'>,
    path: string,
    limitMs: number,
  ): Promise<GraphAnswer> {
    try {
      const response = await pool.request({
        ...request,
        path: prefix + path,
        signal: AbortSignal.timeout(limitMs),
      });
      return readAnswer(response.statusCode, await readText(response.body));
    } catch (error) {
      return { kind: 'away', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  const authorization = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    get(path, token, query = {}) {
      const search = new URLSearchParams(query).toString();
      const target = search === '' ? path : `${path}?${search}`;
      return call({ method: 'GET', headers: authorization(token) }, target, timeoutMs);
    },
    post: (path, token, body) =>
      call(
        {
          method: 'POST',
          headers: { ...authorization(token), 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        path,
        timeoutMs,
      ),
    async upload(path, token, form) {
      const { headers, body } = writeForm(form);
      const answer = await call(
        { method: 'POST', headers: { ...authorization(token), ...headers }, body },
        path,
        uploadTimeoutMs,
      );
      form.content.destroy();
      return answer;
    },
    close: () => pool.close(),
  };
}

/** Writes the form as it is read, so that a file of any size passes through and its length is told first. */
function writeForm({ fields, fileName, mimeType, bytes, content }: UploadForm) {
  const boundary = `switchyard-${crypto.randomUUID()}`;
  const safeName = fileName.replaceAll(/[^\w.\- ]/g, '_') || 'file';
  const head = Buffer.from(
    `${Object.entries(fields)
      .map(
        ([name, value]) =>
          `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      )
      .join('')}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${safeName}"\r\n` +
      `content-type: ${mimeType}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  async function* body(): AsyncGenerator<Buffer> {
    yield head;
    for await (const chunk of content) yield chunk as Buffer;
    yield tail;
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + bytes + tail.length),
    },
    body: Readable.from(body()),
  };
}

async function readText(body: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(status: number, text: string): GraphAnswer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'away', cause: `HTTP ${status} without a readable body` };
  }
  if (typeof body !== 'object' || body === null) return { kind: 'away', cause: `HTTP ${status}` };
  const { error } = body as {
    error?: { code?: unknown; message?: unknown; error_data?: { details?: unknown } };
  };
  if (typeof error === 'object' && error !== null && typeof error.code === 'number') {
    const details = error.error_data?.details ?? error.message;
    return { kind: 'refused', code: error.code, details: typeof details === 'string' ? details : '' };
  }
  if (status < 200 || status >= 300) return { kind: 'away', cause: `HTTP ${status}` };
  return { kind: 'ok', body: body as Record<string, unknown> };
}

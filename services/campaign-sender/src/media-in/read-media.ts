type Loose = Record<string, unknown>;

/** A file that a message brings, as its webhook describes it. */
export interface InboundFile {
  providerMediaId: string;
  type: string;
  mimeType: string | null;
  fileName: string | null;
  /** Hex. */
  sha256: string | null;
}

const MB = 1024 * 1024;

/** What the provider takes of each type; more than that is not a file of its. */
const limits: Readonly<Record<string, number>> = {
  image: 5 * MB,
  sticker: 5 * MB,
  audio: 16 * MB,
  video: 16 * MB,
  document: 100 * MB,
};

/** The largest file of a type, in bytes. */
export function limitOf(type: string): number {
  return limits[type] ?? 16 * MB;
}

/** Reads the file of a message of the Cloud API. @returns undefined for a message that has none. */
export function readMedia(message: Loose): InboundFile | undefined {
  const { type } = message;
  if (typeof type !== 'string' || !(type in limits)) return undefined;
  const own = message[type];
  if (typeof own !== 'object' || own === null) return undefined;
  const { id, mime_type, filename, sha256 } = own as Loose;
  if (typeof id !== 'string' || id === '' || id.length > 191) return undefined;
  return {
    providerMediaId: id,
    type,
    mimeType: textOf(mime_type, 255),
    fileName: textOf(filename, 512),
    sha256: toHexDigest(sha256),
  };
}

/** A SHA-256 as hex: webhooks have it in base64, the media endpoint in hex. @returns null for what is neither. */
export function toHexDigest(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (/^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === 32 ? bytes.toString('hex') : null;
}

const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'text/csv': 'csv',
};

/** Where a file is kept: by merchant and month, under its own id, whatever it calls itself. */
export function pathOf(
  { id, merchantId, createdAtMs }: { id: string; merchantId: string; createdAtMs: number },
  mimeType: string | null,
): string {
  const month = new Date(createdAtMs).toISOString().slice(0, 7);
  const bare = mimeType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return `media/${merchantId}/${month}/${id}.${extensions[bare] ?? 'bin'}`;
}

function textOf(value: unknown, longest: number): string | null {
  return typeof value === 'string' && value !== '' ? value.toWellFormed().slice(0, longest) : null;
}

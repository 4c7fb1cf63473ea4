const KB = 1024;
const MB = 1024 * KB;

/** What the provider takes for each kind of message: types, and the largest file in bytes. */
const kinds: Readonly<Record<string, { types: readonly string[]; mostBytes: number }>> = {
  image: { types: ['image/jpeg', 'image/png'], mostBytes: 5 * MB },
  sticker: { types: ['image/webp'], mostBytes: 500 * KB },
  audio: {
    types: ['audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/opus'],
    mostBytes: 16 * MB,
  },
  video: { types: ['video/mp4', 'video/3gpp'], mostBytes: 16 * MB },
  document: {
    types: [
      'application/pdf',
      'application/msword',
      'application/vnd.ms-excel',
      'application/vnd.ms-powerpoint',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      'application/vnd.openxmlformats-officedocument.presentationml.presentation',
      'text/plain',
      'text/csv',
    ],
    mostBytes: 100 * MB,
  },
};

/** The largest file that any kind takes. */
export const MOST_BYTES = 100 * MB;

/** A type without its parameters: `audio/ogg; codecs=opus` is `audio/ogg`. */
export function plainType(mimeType: string): string {
  return (mimeType.split(';')[0] ?? '').trim().toLowerCase();
}

/** The largest file of a type, whatever the kind; undefined when no kind takes it. */
export function limitOf(mimeType: string): number | undefined {
  const type = plainType(mimeType);
  return Object.values(kinds).find(({ types }) => types.includes(type))?.mostBytes;
}

/** Why a file can't be sent as a kind of message, if so. */
export function kindProblem(kind: string, file: { mimeType: string; bytes: number }): string | undefined {
  const rule = kinds[kind];
  if (!rule) return undefined;
  if (!rule.types.includes(plainType(file.mimeType)))
    return `is ${plainType(file.mimeType)}; ${kind} takes ${rule.types.join(', ')}`;
  return file.bytes > rule.mostBytes
    ? `has ${file.bytes} bytes; ${kind} takes ${rule.mostBytes} at most`
    : undefined;
}

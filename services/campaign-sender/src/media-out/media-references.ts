type Json = Record<string, unknown>;

/** A file of ours that content names. */
export interface MediaReference {
  /** Where it stands, from the content. */
  field: string;
  /** `image`, `video`, `document` …: what it is to be sent as. */
  kind: string;
  mediaId: string;
}

const kindsWithFiles: readonly string[] = ['image', 'video', 'audio', 'document', 'sticker'];
/** Types whose content can hold a file; the others are not searched. */
const typesWithFiles: readonly string[] = [...kindsWithFiles, 'template', 'interactive'];

/** Finds the files that a message's content names as `media`. */
export function findMedia(type: string, content: Json): MediaReference[] {
  const found: MediaReference[] = [];
  if (typesWithFiles.includes(type)) walk(content, '', type, found);
  return found;
}

function walk(value: unknown, field: string, kind: string, found: MediaReference[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, `${field}.${index}`, kind, found);
    return;
  }
  const { media } = value as Json;
  if (typeof media === 'string' && kindsWithFiles.includes(kind))
    found.push({ field: `${field}.media`.slice(1), kind, mediaId: media });
  for (const [key, below] of Object.entries(value)) walk(below, `${field}.${key}`, key, found);
}

/** Content with the provider's ids in place of ours. @param ids by our id. */
export function replaceMedia(content: Json, ids: ReadonlyMap<string, string>): Json {
  return replace(content, ids) as Json;
}

function replace(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => replace(item, ids));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => {
      const id = key === 'media' && typeof below === 'string' ? ids.get(below) : undefined;
      return id === undefined ? [key, replace(below, ids)] : ['id', id];
    }),
  );
}

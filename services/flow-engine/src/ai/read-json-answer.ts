/**
 * Reads the JSON of a model's answer: as it is, or out of the code fence or the sentence that many put around it.
 *
 * @returns `ok: false` when there is none.
 */
export function readJsonAnswer(text: string): { ok: true; value: unknown } | { ok: false } {
  const fenced = /```(?:json)?\s*\n?([\s\S]*?)```/.exec(text)?.[1];
  const from = text.indexOf('{');
  const braced = from < 0 ? undefined : text.slice(from, text.lastIndexOf('}') + 1);
  for (const candidate of [text, fenced, braced]) {
    if (candidate === undefined || candidate.trim() === '') continue;
    try {
      return { ok: true, value: JSON.parse(candidate, dropProto) };
    } catch {
      // The next candidate may be it.
    }
  }
  return { ok: false };
}

function dropProto(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

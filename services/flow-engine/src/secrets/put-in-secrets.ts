import type { CallResult, HttpCall } from '@switchyard/flows';

/** A call with its secrets, and a result without them. */
export interface SecretCall {
  call: HttpCall;
  /** A result as flows may see it: a server that says a secret back tells nobody. */
  hide<R extends CallResult>(result: R): R;
  /** The same for a text. */
  hideText(text: string): string;
}

/**
 * Puts secrets where something stands for them.
 *
 * @param values by name. @returns undefined when one stands where the host is: an address must not hang on it.
 */
export function putInSecrets(call: HttpCall, values: ReadonlyMap<string, string>): SecretCall | undefined {
  const byStandIn = Object.entries(call.secrets ?? {}).map(
    ([standIn, name]) => [standIn, values.get(name) ?? ''] as const,
  );
  const host = URL.parse(call.url)?.host ?? call.url;
  if (byStandIn.some(([standIn]) => host.includes(standIn))) return undefined;
  const fill = (text: string, write: (value: string) => string = (value) => value) =>
    byStandIn.reduce((filled, [standIn, value]) => filled.replaceAll(standIn, () => write(value)), text);
  const { secrets: _, headers, body, json, ...rest } = call;
  const hidden = [...values]
    .flatMap(([name, value]) =>
      [...new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])].map(
        (written) => [written, `[secret ${name}]`] as const,
      ),
    )
    // A longer one may hold a shorter one.
    .sort(([a], [b]) => b.length - a.length);
  const hideText = (text: string) =>
    hidden.reduce((left, [written, mark]) => left.replaceAll(written, () => mark), text);
  return {
    call: {
      ...rest,
      url: fill(call.url, encodeURIComponent),
      ...(headers === undefined ? {} : { headers: mapTexts(headers, fill) as Record<string, string> }),
      ...(body === undefined ? {} : { body: fill(body) }),
      ...(json === undefined ? {} : { json: mapTexts(json, fill) }),
    },
    hideText,
    hide: (result) => mapTexts(result, hideText) as typeof result,
  };
}

/** JSON with every text in it, keys included, changed. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [change(key), mapTexts(each, change)]),
  );
}

import { isUtf8 } from 'node:buffer';

/** Deeper nesting than this is no payload of any provider, and would overflow the stack of what comes after. */
const MAX_DEPTH = 64;

/** Text in which a number may stand that a double can't hold. Digits inside strings match too: that costs only time. */
const MAYBE_INEXACT = /[:,[]\s*-?(?:\d{16}|[\d.]+[eE])/;

/** Why a body can't be read. */
export type ParseProblem = 'not-utf8' | 'not-json' | 'nested-too-deep';

/** A parsed body, or why there is none. */
export type ParsedBody =
  | { readonly ok: true; readonly value: unknown; readonly text: string; readonly exact: boolean }
  | { readonly ok: false; readonly problem: ParseProblem };

/**
 * Parses JSON without losing what a double can't hold: an integer beyond 2^53, or a number beyond the double's range, comes
 * as its text (a string), since 15-digit rounding would turn one id into another. Everything else is as `JSON.parse` gives it.
 *
 * @returns never throws. `exact` is false where some number came as text; {@link reviveExact} then gives back the original.
 */
export function parseExact(body: Buffer): ParsedBody {
  if (!isUtf8(body)) return { ok: false, problem: 'not-utf8' };
  const text = body.toString('utf8');
  try {
    let exact = true;
    let value: unknown = JSON.parse(text);
    if (isDeeperThan(value, MAX_DEPTH)) return { ok: false, problem: 'nested-too-deep' };
    if (MAYBE_INEXACT.test(text)) {
      value = JSON.parse(text, function (this: unknown, _key, each: unknown, context?: { source?: string }) {
        if (!isInexact(each, context?.source)) return each;
        exact = false;
        return context!.source;
      } as Reviver);
    }
    return { ok: true, value, text, exact };
  } catch {
    return { ok: false, problem: 'not-json' };
  }
}

/** Parses text that {@link parseExact} has accepted, so that `JSON.stringify` writes every number as it was. */
export function reviveExact(text: string): unknown {
  return JSON.parse(text, ((_key: string, each: unknown, context?: { source?: string }) =>
    isInexact(each, context?.source) ? rawJson(context!.source!) : each) as Reviver);
}

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

/** ES2025 `JSON.rawJSON`, which TypeScript's ES2024 library does not declare yet. */
const rawJson = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON;

function isInexact(value: unknown, source: string | undefined): boolean {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return false;
  // A fraction keeps the double's 15 digits; what must stay exact are ids, and those are whole.
  return Number.isInteger(value) || !Number.isFinite(value);
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) {
    for (const each of value) if (isDeeperThan(each, depth - 1)) return true;
    return false;
  }
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], depth - 1)) return true;
  return false;
}

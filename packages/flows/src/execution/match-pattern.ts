import { RE2JS } from 're2js';

/** Patterns kept compiled. */
const KEPT_MOST = 1000;
const compiled = new Map<string, ReturnType<typeof RE2JS.compile>>();

/** Longest text that is matched: a message has 4096 characters. */
const TEXT_MOST = 8192;

function compile(pattern: string) {
  const known = compiled.get(pattern);
  if (known) return known;
  if (compiled.size >= KEPT_MOST) compiled.clear();
  const made = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL);
  compiled.set(pattern, made);
  return made;
}

/** What is wrong with a pattern, or undefined. */
export function findPatternProblem(pattern: string): string | undefined {
  try {
    compile(pattern);
    return undefined;
  } catch (error) {
    return `is not a valid pattern: ${(error as Error).message.split('\n')[0]}`;
  }
}

/**
 * Whether a pattern is found in a text; `isWhole`: whether it is the whole text. Takes time in proportion to the text, whatever the
 * pattern. A pattern that does not compile matches nothing.
 */
export function matchesPattern(pattern: string, text: string, { isWhole = false } = {}): boolean {
  try {
    const matcher = compile(pattern).matcher(text.slice(0, TEXT_MOST));
    return isWhole ? matcher.matches() : matcher.find();
  } catch {
    return false;
  }
}

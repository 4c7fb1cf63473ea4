/** A failed assertion. */
export interface Failure {
  /** Its name after those of the tests around it. */
  name: string;
  /** Lines of the YAML that follows it, shortened. */
  diagnostics: string[];
}

/** What one workspace's tests came to. */
export interface TestResult {
  passed: number;
  failed: number;
  /** The names of what was skipped, with the reason where one was given. */
  skipped: string[];
  failures: Failure[];
  /** Why there is no result; it counts as one failure. */
  problem?: string;
}

/**
 * Reads a TAP file as tap's `tap` reporter writes it.
 *
 * @param tap its text; undefined when there is no file.
 * @returns the counts of its closing summary; a file without one (the run was cut off) counts as a failure.
 */
export function readResults(tap: string | undefined): TestResult {
  if (tap === undefined) return without('no result: its tests did not run');
  const lines = tap.split('\n');
  const summary = lines.findLast((line) => /^# \{ .*total: /.test(line));
  const skipped = lines.flatMap((line) => /^\s*ok \d+ - (.*# SKIP.*)$/.exec(line)?.[1]?.trim() ?? []);
  const failures = readFailures(lines);
  if (!summary) return { ...without('cut off: its result has no summary'), skipped, failures };
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0);
  if (count('total') === 0) return { ...without('no result: it has no tests'), skipped, failures };
  const bailedOut = lines.find((line) => line.startsWith('Bail out!'));
  const failed = count('fail');
  if (bailedOut && failed === 0) return { ...without(bailedOut), skipped, failures };
  return { passed: count('pass'), failed, skipped, failures };
}

function without(problem: string): TestResult {
  return { passed: 0, failed: 1, skipped: [], failures: [], problem };
}

/** Each innermost `not ok` with the YAML that follows it, shortened, under the names of the tests around it. */
function readFailures(lines: string[]): Failure[] {
  const failures: Failure[] = [];
  for (const [index, line] of lines.entries()) {
    const match = /^(\s*)not ok \d+(.*)$/.exec(line);
    if (!match || / # TODO/.test(line)) continue;
    const indent = match[1]!.length;
    const diagnostics: string[] = [];
    if (lines[index + 1]?.trim() === '---')
      for (let next = index + 2; next < lines.length && lines[next]!.trim() !== '...'; next++)
        diagnostics.push(lines[next]!.slice(indent + 2));
    // A failed subtest only repeats what failed inside it.
    if (hasFailureInside(lines, index, indent)) continue;
    const name = `${describeParents(lines, index, indent)}${match[2]!.replace(/^ - /, '')}`;
    failures.push({ name, diagnostics: diagnostics.slice(0, 30) });
  }
  return failures;
}

function hasFailureInside(lines: string[], index: number, indent: number): boolean {
  const inner = ' '.repeat(indent + 4);
  for (let at = index - 1; at >= 0 && (lines[at] === '' || lines[at]!.startsWith(inner)); at--)
    if (/^\s*not ok /.test(lines[at]!)) return true;
  return false;
}

function describeParents(lines: string[], index: number, indent: number): string {
  const names: string[] = [];
  let level = indent;
  for (let at = index; at >= 0 && level > 0; at--) {
    const match = /^(\s*)# Subtest: (.*)$/.exec(lines[at]!);
    if (match && match[1]!.length === level - 4) {
      names.unshift(match[2]!);
      level -= 4;
    }
  }
  return names.map((name) => `${name} › `).join('');
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One code as its source declares it. */
interface DocumentedError {
  code: string;
  status: string;
  outcome: string;
  meaning: string;
  owner: string;
}

const introduction = `# Error codes

Every answer that is not a success is \`{"success": false, "error": {"code", "message", "details?"}}\`, and every job that
fails names a code of this list. *Status* is what an HTTP caller gets; *outcome* is what a job that meets it does: \`retry\`
spends an attempt, \`later\` waits without spending one, \`never\` puts the job among the failed jobs at once.

This page is generated from the sources (\`npm run errors:doc\`), and a test holds it to them.
`;

/** A docstring, right above \`export const x = defineError('CODE', 400, 'never')\`. */
const DECLARATION =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+ = defineError\(\s*'([A-Z0-9_]+)',\s*(\d{3}),\s*'(\w+)',?\s*\)/g;
const ANY_DECLARATION = /= defineError\(/g;

/**
 * The text of `docs/errors.md`.
 *
 * @throws Error naming the file in which an error is declared without a docstring.
 */
export function buildErrorsDoc(root: string): string {
  const files = globSync('{packages,services,tools}/*/src/**/*.ts', { cwd: root }).toSorted();
  const byOwner = Map.groupBy(
    files.flatMap((file) => readErrors(root, file)),
    ({ owner }) => owner,
  );
  const sections = [...byOwner].map(
    ([owner, errors]) =>
      `\n## ${owner}\n\n| code | status | outcome | meaning |\n| --- | --- | --- | --- |\n${errors
        .toSorted((a, b) => a.code.localeCompare(b.code))
        .map(
          ({ code, status, outcome, meaning }) => `| \`${code}\` | ${status} | ${outcome} | ${meaning} |\n`,
        )
        .join('')}`,
  );
  return `${introduction}${sections.join('')}`;
}

function readErrors(root: string, file: string): DocumentedError[] {
  const text = readFileSync(join(root, file), 'utf8');
  // The package that defines defineError shows its use in an example.
  if (file.startsWith('packages/errors/')) return [];
  const owner = file.split('/')[1] ?? file;
  const errors = [...text.matchAll(DECLARATION)].map(
    ([, docstring = '', code = '', status = '', outcome = '']): DocumentedError => {
      const meaning = docstring
        .replaceAll(/^\s*\* ?/gm, '')
        .trim()
        .replaceAll(/\s+/g, ' ')
        .replaceAll('|', '\\|');
      return { code, status, outcome, meaning, owner };
    },
  );
  const declared = [...text.matchAll(ANY_DECLARATION)].length;
  if (declared !== errors.length)
    throw new Error(`${file} declares ${declared} errors, of which ${errors.length} have a docstring`);
  return errors;
}

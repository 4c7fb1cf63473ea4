import { type ContentProblem, join, problem } from './problem.ts';

type Json = Record<string, unknown>;
const sources = ['media', 'id', 'link'] as const;

/**
 * Checks where a file comes from: `media` (kept here), `id` (uploaded to the provider by somebody else) or `link`.
 *
 * @param field where the object stands.
 */
export function checkMedia(field: string, file: Json): ContentProblem | undefined {
  const given = sources.filter((source) => file[source] !== undefined);
  if (given.length !== 1) return problem(field, 'must have exactly one of media, id and link');
  const { link } = file;
  for (const source of given)
    if (typeof file[source] !== 'string' || file[source] === '')
      return problem(join(field, source), 'must be a string');
  if (typeof link === 'string' && !(/^https?:\/\//.test(link) && URL.canParse(link)))
    return problem(join(field, 'link'), 'must be an http or https address');
  return undefined;
}

import { Liquid } from 'liquidjs';

/** What a template may use. Nothing in it changes with the clock or by chance, so that a run can be replayed. */
export interface TemplateScope {
  contact: Record<string, unknown>;
  variables: Record<string, unknown>;
  event: Record<string, unknown>;
}

/** Longest text that a template may make: the Cloud API takes 4096 characters. */
const MAX_RENDERED_LENGTH = 4096;

const CLOCK_WORD = /^\s*(now|today)\s*$/i;

// The limits end hostile templates: parsed characters, milliseconds, and allocated items.
const liquid = new Liquid({
  strictFilters: true,
  ownPropertyOnly: true,
  parseLimit: 16_384,
  renderLimit: 100,
  memoryLimit: 100_000,
  cache: 1000,
  // No file is ever read for `include`, `render` or `layout`.
  relativeReference: false,
  templates: {},
  // The same text wherever the process runs.
  timezoneOffset: 0,
});

// A word that means this very moment can also reach a filter through a variable, where no look at the template finds it.
for (const [name, filter] of Object.entries(liquid.filters)) {
  if (!name.startsWith('date')) continue;
  const format = typeof filter === 'function' ? filter : filter.handler;
  liquid.registerFilter(name, function (value: unknown, ...rest: unknown[]) {
    if (typeof value === 'string' && CLOCK_WORD.test(value))
      throw new Error('a template must not use the clock');
    return format.call(this, value, ...rest);
  });
}
// Chance would make a replay read otherwise.
delete liquid.filters.sample;

/** Whether a template uses the clock: the same run would read differently tomorrow. */
const CLOCK = /["'](now|today)["']\s*\|\s*date/;

/** What is wrong with a template, or undefined. */
export function findTemplateProblem(template: string): string | undefined {
  if (CLOCK.test(template)) return 'must not use the clock: a run has to read the same when it is replayed';
  try {
    liquid.parse(template);
    return undefined;
  } catch (error) {
    return `is not a valid template: ${(error as Error).message.split('\n')[0]}`;
  }
}

/**
 * Fills a template in.
 *
 * @throws Error when a limit is passed or a filter fails; the run stops with that reason.
 */
export function renderText(template: string, scope: TemplateScope): string {
  const text: string = liquid.parseAndRenderSync(template, scope);
  return shorten(text, MAX_RENDERED_LENGTH);
}

/** Cuts a text that is too long, never through the middle of a character. */
export function shorten(text: string, lengthMost: number): string {
  if (text.length <= lengthMost) return text;
  const cut = text.slice(0, lengthMost - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

import { Context, Liquid } from 'liquidjs';

/** What a template may use. Nothing in it changes with the clock or by chance, so that a run can be replayed. */
export interface TemplateScope {
  contact: Record<string, unknown>;
  variables: Record<string, unknown>;
  event: Record<string, unknown>;
  /** What the flow was given at its start, as it declares. */
  input?: Record<string, unknown>;
  /** The failure that led to this branch. */
  error?: Record<string, unknown>;
  /** The moment of the input, ISO 8601. */
  now?: string;
  /** What stands for the merchant's secrets until a call is made; for HTTP requests alone. */
  secrets?: Record<string, string>;
}

/** Longest text that a template may make: the Cloud API takes 4096 characters. */
const MAX_RENDERED_LENGTH = 4096;
/** Parts (texts, outputs, tags, each turn of a loop) that the templates of one input may render, all together. */
const MAX_PARTS = 50_000;
/** Items and characters that a template may allocate. */
const MEMORY_LIMIT = 100_000;

const CLOCK_WORD = /^\s*(now|today)\s*$/i;

// The limits end hostile templates: parsed characters, rendered parts and allocated items. None is a time, since a slow machine
// must not decide differently from a fast one.
const liquid = new Liquid({
  strictFilters: true,
  ownPropertyOnly: true,
  parseLimit: 20_000,
  memoryLimit: MEMORY_LIMIT,
  cache: 1000,
  // No file is ever read for `include`, `render` or `layout`.
  relativeReference: false,
  templates: {},
  // The same text wherever the process runs.
  timezoneOffset: 0,
  locale: 'en-US',
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
// Liquid's own takes time in the square of the length for a text that is made for it.
liquid.registerFilter('strip_html', function (value: unknown) {
  const text = String(value ?? '');
  this.context.memoryLimit.use(text.length);
  return stripTags(text);
});

/** Whether a template uses the clock: the same run would read differently tomorrow. */
const CLOCK = /["'](now|today)["']\s*\|\s*date/;

/** What is wrong with a template, or undefined. */
export function findTemplateProblem(template: string): string | undefined {
  if (CLOCK.test(template)) return 'must not use the clock: a run has to read the same when it is replayed';
  try {
    liquid.parse(template);
    return undefined;
  } catch (error) {
    return `is not a valid template: ${firstLine(error)}`;
  }
}

/** The values that a template reads, each as its path; empty for one that does not parse. */
export function pathsOfTemplate(template: string): string[][] {
  if (!template.includes('{')) return [];
  try {
    return liquid
      .globalVariableSegmentsSync(template)
      .map((path) => path.filter((part): part is string | number => typeof part !== 'object').map(String));
  } catch {
    return [];
  }
}

/** Fills templates in; what they use up counts for all of them together. */
export interface Renderer {
  /** @throws Error when a limit is passed or a filter fails. */
  text(template: string, scope: TemplateScope, lengthMost?: number): string;
  /** Fills in every string of a JSON value. @throws Error */
  json(value: unknown, scope: TemplateScope): unknown;
}

/** Makes a renderer, for one input of a run. */
export function createRenderer(): Renderer {
  let parts = 0;
  const renderLimit = {
    check() {
      parts += 1;
      if (parts > MAX_PARTS) throw new Error('the templates render too much');
    },
  };
  function text(template: string, scope: TemplateScope, lengthMost = MAX_RENDERED_LENGTH): string {
    // Most templates hold nothing to fill in.
    if (!template.includes('{{') && !template.includes('{%')) return shorten(template, lengthMost);
    const context = new Context(
      scope,
      liquid.options,
      { sync: true },
      // Liquid gives the limiter the time; this one counts instead.
      { renderLimit: renderLimit as never, liquid },
    );
    try {
      return shorten(liquid.renderSync(liquid.parse(template), context), lengthMost);
    } catch (error) {
      throw new Error(firstLine(error));
    }
  }
  function json(value: unknown, scope: TemplateScope): unknown {
    if (typeof value === 'string') return text(value, scope);
    if (Array.isArray(value)) return value.map((each) => json(each, scope));
    if (typeof value !== 'object' || value === null) return value;
    // `__proto__` as an own key must stay one.
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, json(each, scope)]));
  }
  return { text, json };
}

/** Fills one template in. @throws Error when a limit is passed or a filter fails; the run stops with that reason. */
export function renderText(template: string, scope: TemplateScope): string {
  return createRenderer().text(template, scope);
}

/** Cuts a text that is too long, never through the middle of a character. */
export function shorten(text: string, lengthMost: number): string {
  if (text.length <= lengthMost) return text;
  const cut = text.slice(0, lengthMost - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0] ?? '';
}

/** A text without what stands between `<` and `>`. */
function stripTags(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('<', at);
    const close = open === -1 ? -1 : text.indexOf('>', open);
    if (close === -1) return out + text.slice(at);
    out += text.slice(at, open);
    at = close + 1;
  }
  return out;
}

import type { DefinitionProblem } from '../check-definition.ts';
import type { FlowDefinition, FlowNode } from '../definition.ts';

/** A message template of the merchant, in one language. */
export interface KnownTemplate {
  language: string;
  /** The provider's word, such as `APPROVED`. */
  status: string;
  /** How many values a message must give; what is not known is not checked. */
  parameters?: { header?: number; body?: number; buttons?: number };
}

/** The merchant's message templates by name; without languages, any will do. */
export type KnownTemplates = ReadonlyMap<string, readonly KnownTemplate[]>;

/** What a node says of a template. */
interface NamedTemplate {
  field: string;
  name: string;
  language: string | undefined;
  components: readonly unknown[];
}

type Judged = [field: string, message: string];

/** These end only by somebody making another template. */
const LOST = ['REJECTED', 'DISABLED', 'DELETED', 'PENDING_DELETION', 'ARCHIVED'];
/** These pass by themselves. */
const WAITING = ['PENDING', 'PAUSED', 'IN_APPEAL', 'LOCKED', 'LIMIT_EXCEEDED'];

/** Templates that could never be sent: there is none of that name or language, it was turned down, or it is given too few values. */
export function findMessageTemplateProblems(
  definition: FlowDefinition,
  templates: KnownTemplates | undefined,
): DefinitionProblem[] {
  return judge(definition, templates, errorsOf);
}

/** Templates that can't be sent now, and may be later: under review, or paused. */
export function findMessageTemplateWarnings(
  definition: FlowDefinition,
  templates: KnownTemplates | undefined,
): DefinitionProblem[] {
  return judge(definition, templates, warningsOf);
}

/** The message templates that a definition names; names that are Liquid templates themselves are left out. */
export function messageTemplatesNamedBy(definition: FlowDefinition): string[] {
  return Object.values(definition.nodes).flatMap((node) => namedBy(node).map(({ name }) => name));
}

function judge(
  definition: FlowDefinition,
  templates: KnownTemplates | undefined,
  judgeOne: (named: NamedTemplate, languages: readonly KnownTemplate[] | undefined) => Judged[],
): DefinitionProblem[] {
  if (templates === undefined) return [];
  return Object.entries(definition.nodes).flatMap(([node, each]) =>
    namedBy(each).flatMap((named) =>
      judgeOne(named, templates.get(named.name)).map(([field, message]) => ({
        node,
        path: `/nodes/${node}/${field}`,
        message,
      })),
    ),
  );
}

function errorsOf(named: NamedTemplate, languages: readonly KnownTemplate[] | undefined): Judged[] {
  const { field, name, language } = named;
  if (!languages) return [[field, `there is no message template "${name}"`]];
  const found = inLanguage(languages, language);
  if (!found) {
    if (languages.length === 0 || language === undefined) return [];
    const others = languages.map((each) => each.language).join(', ');
    return [[field, `there is no message template "${name}" in "${language}", but in ${others}`]];
  }
  if (LOST.includes(found.status))
    return [[field, `the message template "${name}" (${found.language}) is ${found.status}`]];
  return parameterProblems(named, found);
}

function warningsOf(
  { field, name, language }: NamedTemplate,
  languages: readonly KnownTemplate[] | undefined,
): Judged[] {
  const found = languages && inLanguage(languages, language);
  if (!found || !WAITING.includes(found.status)) return [];
  return [
    [field, `the message template "${name}" (${found.language}) is ${found.status}: it can't be sent now`],
  ];
}

/** Languages are written `en_US` in most places and `en-US` in some. */
function inLanguage(
  languages: readonly KnownTemplate[],
  code: string | undefined,
): KnownTemplate | undefined {
  const plain = (text: string) => text.replace('-', '_').toLowerCase();
  return code === undefined ? undefined : languages.find(({ language }) => plain(language) === plain(code));
}

function parameterProblems({ field, name, components }: NamedTemplate, known: KnownTemplate): Judged[] {
  const { header, body, buttons } = known.parameters ?? {};
  const given = countParameters(components);
  const problems: Judged[] = [];
  for (const [part, expected] of [
    ['header', header],
    ['body', body],
  ] as const)
    if (expected !== undefined && given[part] !== expected)
      problems.push([field, `the ${part} of "${name}" takes ${expected} values, not ${given[part]}`]);
  // A quick reply may be given a payload, and need not.
  if (buttons !== undefined && given.buttons < buttons)
    problems.push([field, `the buttons of "${name}" take ${buttons} values, not ${given.buttons}`]);
  return problems;
}

function countParameters(components: readonly unknown[]) {
  const counts = { header: 0, body: 0, buttons: 0 };
  for (const component of components) {
    const { type, parameters } = (component ?? {}) as { type?: unknown; parameters?: unknown };
    const part = String(type).toLowerCase();
    const length = Array.isArray(parameters) ? parameters.length : 0;
    if (part === 'header' || part === 'body') counts[part] += length;
    else if (part === 'button' && length > 0) counts.buttons += 1;
  }
  return counts;
}

function namedBy(node: FlowNode): NamedTemplate[] {
  if (node.kind !== 'send' && node.kind !== 'ask') return [];
  const named: NamedTemplate[] = [];
  const add = (field: string, template: Record<string, unknown> | undefined) => {
    const { name, language, components } = template ?? {};
    if (typeof name !== 'string' || name.includes('{')) return;
    const code = (language as { code?: unknown } | undefined)?.code;
    named.push({
      field,
      name,
      language: typeof code === 'string' && !code.includes('{') ? code : undefined,
      components: Array.isArray(components) ? components : [],
    });
  };
  if (node.message?.type === 'template') add('message', node.message.content);
  add('templateFallback', node.templateFallback);
  return named;
}

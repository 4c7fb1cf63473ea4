import { findTemplateProblem, pathsOfTemplate } from '../../execution/render-text.ts';
import type { DefinitionProblem, DefinitionSurroundings } from '../check-definition.ts';
import type { FlowDefinition, FlowNode } from '../definition.ts';

/** The fields of each kind whose strings, however deep, are templates. */
const templateFields: Partial<Record<FlowNode['kind'], readonly string[]>> = {
  send: ['text', 'header', 'footer', 'buttons', 'list', 'message', 'templateFallback'],
  ask: ['text', 'retryText', 'header', 'footer', 'buttons', 'list', 'message', 'templateFallback'],
  'wait-until': ['at'],
  'set-variable': ['value'],
  'set-attribute': ['value'],
  'sub-flow': ['input'],
  end: ['result'],
  'http-request': ['url', 'headers', 'body', 'json'],
  'ai-reply': ['instructions', 'fallbackText'],
  'ai-classify': ['text', 'instructions'],
  'ai-extract': ['text', 'instructions'],
  'shopify-lookup': ['value'],
  'send-email': ['to', 'subject', 'text', 'html', 'replyTo'],
  'webhook-event': ['data'],
  'notify-team': ['title', 'body'],
  'hand-over': ['reason'],
};

/** A template of a node. */
export interface FoundTemplate {
  /** Below the node, as a JSON pointer without its first slash. */
  field: string;
  template: string;
}

/** Every template of a node. */
export function templatesOf(node: FlowNode): FoundTemplate[] {
  const found: FoundTemplate[] = [];
  const visit = (value: unknown, field: string): void => {
    if (typeof value === 'string') found.push({ field, template: value });
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) visit(each, `${field}/${key}`);
  };
  for (const field of templateFields[node.kind] ?? [])
    visit((node as unknown as Record<string, unknown>)[field], field);
  return found;
}

/** The roots that a template may read. */
const ROOTS = ['contact', 'variables', 'event', 'input', 'error', 'now'];
/** HTTP requests know the merchant's secrets besides. */
const SECRETS = 'secrets';
/** What is put into the request in the end is not what a filter is given. */
const FILTERED_SECRET = /\{\{-?\s*secrets\b[^}|]*\|/;

/** Templates that do not parse, read differently tomorrow, or read what there is not. */
export function findTemplateProblems(
  definition: FlowDefinition,
  { secrets }: DefinitionSurroundings = {},
): DefinitionProblem[] {
  const inputs = Object.keys(definition.inputs ?? {});
  return Object.entries(definition.nodes).flatMap(([node, each]) =>
    templatesOf(each).flatMap(({ field, template }): DefinitionProblem[] => {
      const path = `/nodes/${node}/${field}`;
      const problem = findTemplateProblem(template);
      if (problem !== undefined) return [{ node, path, message: problem }];
      if (each.kind === 'http-request' && FILTERED_SECRET.test(template))
        return [{ node, path, message: 'puts a secret through a filter, which never sees its value' }];
      return pathsOfTemplate(template).flatMap(([root, name]): DefinitionProblem[] => {
        if (each.kind === 'http-request' && root === SECRETS) {
          const isKnown = name !== undefined && (secrets?.has(name) ?? true);
          return isKnown ? [] : [{ node, path, message: `there is no secret "${name ?? ''}"` }];
        }
        if (root !== undefined && !ROOTS.includes(root))
          return [{ node, path, message: `reads "${root}"; there is ${ROOTS.join(', ')}` }];
        if (root === 'input' && name !== undefined && !inputs.includes(name))
          return [{ node, path, message: `reads the input "${name}", which the flow does not declare` }];
        return [];
      });
    }),
  );
}

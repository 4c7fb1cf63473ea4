import type { TemplateScope } from './render-text.ts';

const ROOTS = new Set(['variables', 'contact', 'event', 'input', 'error']);

/**
 * The value at a path: a variable by its whole name, else a path that begins with `variables`, `contact`, `event`, `input` or `error`,
 * else one into a variable. Only own fields of plain JSON are seen.
 */
export function lookUp(path: string, scope: TemplateScope): unknown {
  if (Object.hasOwn(scope.variables, path)) return scope.variables[path];
  const [root = '', ...rest] = path.split('.');
  if (ROOTS.has(root)) return follow(scope[root as keyof TemplateScope], rest);
  return follow(scope.variables, [root, ...rest]);
}

/** The value at a path within a value. */
export function follow(value: unknown, path: readonly string[]): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

import type { Workspace } from './workspaces.ts';

/** One import of one file. */
export interface Import {
  /** The workspace that the file belongs to. */
  workspace: Workspace;
  /** The file, relative to the workspace. */
  file: string;
  /** As written; a relative one is resolved by the caller into `target`. */
  specifier: string;
  /** For a relative import: the file it leads to, relative to the root. */
  target?: string;
}

type Kind = 'package' | 'service' | 'tool' | 'other';

const kinds: Record<string, Kind> = { packages: 'package', services: 'service', tools: 'tool' };

/** What a workspace is, by the folder it is in. */
export function kindOf(workspace: Workspace): Kind {
  return kinds[workspace.path.split('/')[0]!] ?? 'other';
}

/** The package that a specifier names: `@scope/name` or `name`, without the path inside it. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

const isFastify = (name: string) => name === 'fastify' || name.startsWith('@fastify/');

/** Packages that one workspace must not know, by its name. */
const forbidden: Record<string, { isForbidden: (name: string) => boolean; why: string }> = {
  '@switchyard/jobs': {
    isForbidden: (name) => isFastify(name) || name === '@switchyard/service-kit',
    why: 'jobs knows nothing of HTTP',
  },
  '@switchyard/service-kit': {
    isForbidden: (name) => name === 'bullmq' || name === '@switchyard/jobs',
    why: 'service-kit knows nothing of queues',
  },
};

const unknownToProcessors = (name: string) =>
  isFastify(name) || ['bullmq', 'ioredis', '@switchyard/service-kit'].includes(name);

/**
 * Holds the declared dependencies of a workspace against the rule: services → packages, never the other way round,
 * never service → service; test-kit for tests only.
 *
 * @returns what breaks it, in words.
 */
export function checkDeclared(workspace: Workspace, all: readonly Workspace[]): string[] {
  const {
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    devDependencies = {},
  } = workspace.manifest;
  const atRunTime = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const problems: string[] = [];
  for (const name of [...atRunTime, ...Object.keys(devDependencies)]) {
    const why = whyNot(workspace, name, all);
    if (why) problems.push(`declares ${name}: ${why}`);
  }
  if (kindOf(workspace) !== 'other')
    for (const name of ['@switchyard/test-kit', '@switchyard/simulator'])
      if (atRunTime.includes(name))
        problems.push(`declares ${name} at run time: it belongs in devDependencies`);
  return problems;
}

/** Holds one import against the rule. @returns what breaks it, in words, or undefined. */
export function checkImport(
  each: Import,
  all: readonly Workspace[],
  rootDependencies: ReadonlySet<string>,
): string | undefined {
  const { workspace, file, specifier, target } = each;
  const isTest = !file.startsWith('src/');
  const inProcessors = kindOf(workspace) === 'service' && file.startsWith('src/processors/');
  if (target !== undefined) {
    if (!target.startsWith(`${workspace.path}/`) && kindOf(workspace) !== 'other')
      return 'leaves its workspace: import the package by its name';
    const inside = target.slice(workspace.path.length + 1);
    if (inProcessors && /^src\/(routes|plugins)\/|^src\/(app|main)\.ts$/.test(inside))
      return 'processors know nothing of routes and the app';
    if (!isTest && inside.startsWith('test/')) return 'source does not import tests';
    return undefined;
  }
  const name = packageOf(specifier);
  if (name === workspace.manifest.name) return undefined;
  const why = whyNot(workspace, name, all);
  if (why) return why;
  if (inProcessors && unknownToProcessors(name))
    return 'processors import neither Fastify, BullMQ nor a Redis client';
  if (
    !isTest &&
    kindOf(workspace) !== 'other' &&
    ['@switchyard/test-kit', '@switchyard/simulator'].includes(name)
  )
    return 'it is for tests only';
  const {
    dependencies = {},
    optionalDependencies = {},
    peerDependencies = {},
    devDependencies = {},
  } = workspace.manifest;
  if (name in dependencies || name in optionalDependencies || name in peerDependencies) return undefined;
  // Test tools are declared once, at the root; the test kit's source is made of them.
  const mayUseDevelopment = isTest || workspace.manifest.name === '@switchyard/test-kit';
  if (mayUseDevelopment && (name in devDependencies || rootDependencies.has(name))) return undefined;
  return 'it is not among the dependencies of this workspace';
}

function whyNot(workspace: Workspace, name: string, all: readonly Workspace[]): string | undefined {
  const other = all.find(({ manifest }) => manifest.name === name);
  if (other && kindOf(other) === 'service' && kindOf(workspace) !== 'other')
    return kindOf(workspace) === 'service'
      ? 'services meet only on a queue'
      : 'packages never depend on services';
  const rule = forbidden[workspace.manifest.name];
  return rule?.isForbidden(name) ? rule.why : undefined;
}

// Holds the dependency rule (docs/architecture.md) against what every workspace declares and imports.
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { checkDeclared, checkImport, type Import } from './testing/dependency-rule.ts';
import { listWorkspaces, readRootManifest, type Workspace } from './testing/workspaces.ts';

const root = dirname(import.meta.dirname);
const workspaces = listWorkspaces(root);
const { dependencies, devDependencies } = readRootManifest(root);
const rootDependencies = new Set(Object.keys({ ...dependencies, ...devDependencies }));
const builtins = new Set(builtinModules);

const problems: string[] = [];
let files = 0;
for (const workspace of workspaces) {
  for (const problem of checkDeclared(workspace, workspaces))
    problems.push(`${workspace.path}/package.json ${problem}`);
  for (const file of globSync('**/*.ts', { cwd: join(root, workspace.path), exclude: ignored })) {
    files++;
    for (const each of readImports(workspace, file)) {
      const problem = checkImport(each, workspaces, rootDependencies);
      if (problem) problems.push(`${workspace.path}/${file} imports ${each.specifier}: ${problem}`);
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(
  `The dependency rule: ${workspaces.length} workspaces, ${files} files, ${problems.length} violations.`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function ignored(path: string): boolean {
  return ['node_modules', 'dist', '.tap'].includes(path.split('/').at(-1)!);
}

/** Imports, re-exports and dynamic imports; what only stands in a comment or a text is not one. */
function readImports(workspace: Workspace, file: string): Import[] {
  const path = join(root, workspace.path, file);
  const source = readFileSync(path, 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const pattern =
    /(?:^|[\n;])\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...source.matchAll(pattern)].flatMap((match): Import[] => {
    const specifier = (match[1] ?? match[2])!;
    if (specifier.startsWith('node:') || builtins.has(specifier) || specifier.startsWith('#')) return [];
    if (!specifier.startsWith('.')) return [{ workspace, file, specifier }];
    return [{ workspace, file, specifier, target: relative(root, resolve(dirname(path), specifier)) }];
  });
}

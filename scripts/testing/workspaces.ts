import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A workspace's manifest, as far as the scripts read it. */
export interface Manifest {
  name: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** One npm workspace. */
export interface Workspace {
  /** Relative to the root, such as `packages/jobs`. */
  path: string;
  /** The last part of the path. */
  directory: string;
  manifest: Manifest;
}

/** The manifest of the root. */
export function readRootManifest(root: string): Manifest & { workspaces: string[] } {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

/** Every workspace that the root declares, sorted by path. */
export function listWorkspaces(root: string): Workspace[] {
  return readRootManifest(root)
    .workspaces.flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .filter((file) => existsSync(join(root, file)))
    .map((file) => ({
      path: dirname(file),
      directory: basename(dirname(file)),
      manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest,
    }))
    .sort((a, b) => a.path.localeCompare(b.path));
}

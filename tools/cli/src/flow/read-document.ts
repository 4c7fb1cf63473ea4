import { readFile } from 'node:fs/promises';
import { checkDefinition, type FlowDefinition } from '@switchyard/flows';
import { parse } from 'yaml';
import { CliError } from '../cli-error.ts';

/** Reads a JSON or YAML file. @throws CliError naming it. */
export async function readDocument(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(`${path} can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    return /\.ya?ml$/i.test(path) ? parse(text, { maxAliasCount: 100 }) : JSON.parse(text);
  } catch (error) {
    throw new CliError(`${path}: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** Reads a flow and checks it, as the server will. @throws CliError naming every node at fault. */
export async function readFlow(path: string): Promise<FlowDefinition> {
  return toFlow(await readDocument(path), path);
}

/** Takes a document for a flow. @throws CliError naming every node at fault. */
export function toFlow(document: unknown, where: string): FlowDefinition {
  const problems = checkDefinition(document);
  if (problems.length === 0) return document as FlowDefinition;
  const lines = problems.map(
    ({ node, path, message }) => `  ${node === undefined ? path || '/' : `node "${node}"`} ${message}`,
  );
  throw new CliError(`${where} is no flow that can run:\n${lines.join('\n')}`);
}

/** Whether an argument names a file rather than a flow's id. */
export function isFile(argument: string): boolean {
  return /[/\\]|\.(json|ya?ml)$/i.test(argument);
}

import { readFile, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { FlowDefinition } from '@switchyard/flows';
import { CliError } from '../cli-error.ts';
import type { Api } from '../create-api.ts';
import { readFlow } from './read-document.ts';

/** A flow as the server shows it. */
export interface ServerFlow {
  flow: {
    id: string;
    name: string;
    state: string;
    publishedVersion: number | null;
    draftVersion: number | null;
  };
  definition: FlowDefinition;
  definitionVersion: number;
}

/**
 * Sends a file to the server: as a new flow, or as the draft of the flow with the same name. Pushed again without a change, nothing
 * happens.
 *
 * @param options.id of the flow, where the name does not say which.
 * @param options.isPublished publishes it, too.
 */
export async function pushFlow(
  api: Api,
  path: string,
  options: { id: string | undefined; isPublished: boolean },
  print: (line: string) => void,
): Promise<void> {
  const definition = await readFlow(path);
  const id = options.id ?? (await findByName(api, definition.name));
  let pushed: ServerFlow;
  if (id === undefined) {
    pushed = await api.call<ServerFlow>('POST', '/api/v1/flows', { definition });
    print(`${path}: created ${pushed.flow.id}`);
  } else {
    const known = await newest(api, id);
    if (isDeepStrictEqual(known.definition, definition)) {
      print(`${path}: ${id} has it already, as version ${known.definitionVersion}`);
      pushed = known;
    } else {
      pushed = await api.call<ServerFlow>('PUT', `/api/v1/flows/${id}/draft`, { definition });
      print(`${path}: ${id} has it as draft, version ${pushed.definitionVersion}`);
    }
  }
  if (!options.isPublished || pushed.flow.draftVersion === null) return;
  const { flow } = await api.call<ServerFlow>('POST', `/api/v1/flows/${pushed.flow.id}/publish`, {});
  print(`${path}: published version ${flow.publishedVersion}`);
}

/** Gets a flow from the server, into a file or onto the terminal. */
export async function pullFlow(
  api: Api,
  id: string,
  options: { version: string | undefined; out: string | undefined },
  print: (line: string) => void,
): Promise<void> {
  const { definition, definitionVersion } = await getFlow(api, id, options.version);
  const text = `${JSON.stringify(definition, null, 2)}\n`;
  if (options.out === undefined) {
    print(text.trimEnd());
    return;
  }
  const before = await readFile(options.out, 'utf8').catch(() => undefined);
  if (before === text) {
    print(`${options.out} has version ${definitionVersion} already`);
    return;
  }
  await writeFile(options.out, text);
  print(`${options.out} has version ${definitionVersion}`);
}

/** A version of a flow: the published one, else the newest, where none is named. */
export function getFlow(api: Api, id: string, version?: string): Promise<ServerFlow> {
  const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
  return api.call<ServerFlow>('GET', `/api/v1/flows/${encodeURIComponent(id)}${query}`);
}

/** The version that was written last. */
async function newest(api: Api, id: string): Promise<ServerFlow> {
  const shown = await getFlow(api, id);
  const { draftVersion } = shown.flow;
  return draftVersion === null || draftVersion === shown.definitionVersion
    ? shown
    : getFlow(api, id, String(draftVersion));
}

async function findByName(api: Api, name: string): Promise<string | undefined> {
  const flows = await api.call<{ id: string; name: string; state: string }[]>('GET', '/api/v1/flows');
  const same = flows.filter((each) => each.name === name && each.state !== 'archived');
  if (same.length > 1)
    throw new CliError(
      `several flows are called "${name}" (${same.map(({ id }) => id).join(', ')}): say which with --id`,
    );
  return same[0]?.id;
}

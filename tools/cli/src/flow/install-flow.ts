import { CliError } from '../cli-error.ts';
import type { Api } from '../create-api.ts';

/** Lists ready-made flows. */
export async function listLibrary(api: Api, print: (line: string) => void): Promise<void> {
  const flows = await api.call<
    { name: string; description: string; settings: { properties: Record<string, unknown> } }[]
  >('GET', '/api/v1/flow-library');
  for (const { name, description, settings } of flows) {
    print(`${name}: ${description}`);
    print(`    settings: ${Object.keys(settings.properties).join(', ')}`);
  }
}

/** Installs a ready-made flow. */
export async function installFlow(
  api: Api,
  name: string,
  assignments: readonly string[],
  print: (line: string) => void,
): Promise<void> {
  const settings: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new CliError(`--set takes <setting>=<value>, not ${assignment}`);
    settings[assignment.slice(0, at)] = toValue(assignment.slice(at + 1));
  }
  const { flowId, version, outcome } = await api.call<{ flowId: string; version: number; outcome: string }>(
    'POST',
    `/api/v1/flow-library/${encodeURIComponent(name)}/install`,
    { settings },
  );
  print(`${name}: ${flowId}, version ${version}, ${outcome}`);
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

import { parseArgs } from 'node:util';
import { CliError } from '../cli-error.ts';
import { createApi } from '../create-api.ts';
import type { Environment, Output } from '../run-cli.ts';
import { installFlow, listLibrary } from './install-flow.ts';
import { listRuns, replayRuns } from './look-at-runs.ts';
import { isFile, readFlow } from './read-document.ts';
import { getFlow, pullFlow, pushFlow } from './ship-flows.ts';
import { drawFlow, talkToFlow } from './show-flow.ts';
import { showFunnel } from './show-funnel.ts';
import { testFlows } from './test-flows.ts';

/** What `switchyard flow` can do. */
export const flowUsage = `switchyard flow test <file.test.json|yaml> …          runs flow tests here, without a server
switchyard flow push <file> … [--publish] [--id <flow>]   sends flows: new ones, or drafts of those with the same name
switchyard flow pull <flow> [--out <file>] [--version <n>]
switchyard flow simulate <flow|file> --say <text> … (tap:<id> taps a button)
switchyard flow graph <flow|file> [--format svg|mermaid] [--out <file>]
switchyard flow runs [--flow <flow>] [--contact <id>] [--status <status>] [--limit 50]
switchyard flow library                               lists ready-made flows
switchyard flow install <name> [--set <setting>=<value>] …   values are JSON where they can be, else text
switchyard flow funnel <flow> [--version <n>]
switchyard flow replay <run> … | [--flow <flow>] [--limit 50]   runs recorded runs again; 1 when one differs
  Options: --flows-url (flow-engine, http://localhost:3002), --merchant <id> (with an admin's key)`;

const options = {
  'flows-url': { type: 'string', default: 'http://localhost:3002' },
  merchant: { type: 'string' },
  publish: { type: 'boolean', default: false },
  id: { type: 'string' },
  out: { type: 'string' },
  version: { type: 'string' },
  say: { type: 'string', multiple: true },
  format: { type: 'string', default: 'svg' },
  flow: { type: 'string' },
  contact: { type: 'string' },
  status: { type: 'string' },
  limit: { type: 'string', default: '50' },
  set: { type: 'string', multiple: true },
} as const;

/**
 * Runs one command about flows.
 *
 * @param args what follows `flow`.
 * @returns the exit code: 0 done, 1 a test failed or a replay differs, 2 called wrongly.
 * @throws CliError where it did not work.
 */
export async function runFlowCommand(
  args: readonly string[],
  env: Environment,
  { print, complain }: Output,
): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    complain(`${(error as Error).message}\n\n${flowUsage}`);
    return 2;
  }
  const { values } = parsed;
  const [command = '', ...operands] = parsed.positionals;
  const api = () => {
    const apiKey = env.SWITCHYARD_API_KEY;
    if (apiKey === undefined || apiKey === '') throw new CliError('SWITCHYARD_API_KEY must be set');
    return createApi({ url: values['flows-url'], apiKey, merchantId: values.merchant });
  };
  const [first] = operands;
  const needsOne = () => {
    if (first === undefined || operands.length > 1) throw new CliError(`flow ${command} takes one flow`);
    return first;
  };
  const definitionOf = async (named: string) =>
    isFile(named) ? readFlow(named) : (await getFlow(api(), named, values.version)).definition;
  const choice = () => {
    const limit = Number(values.limit);
    if (!Number.isInteger(limit) || limit < 1) throw new CliError('--limit must be a whole number from 1');
    return { flowId: values.flow, contactId: values.contact, status: values.status, limit };
  };

  switch (command) {
    case 'test':
      if (first === undefined) throw new CliError('flow test takes files');
      return (await testFlows(operands, print)) ? 0 : 1;
    case 'push':
      if (first === undefined) throw new CliError('flow push takes files');
      if (values.id !== undefined && operands.length > 1) throw new CliError('--id goes with one file');
      for (const path of operands)
        await pushFlow(api(), path, { id: values.id, isPublished: values.publish }, print);
      return 0;
    case 'pull':
      await pullFlow(api(), needsOne(), { version: values.version, out: values.out }, print);
      return 0;
    case 'simulate':
      talkToFlow(await definitionOf(needsOne()), values.say ?? [], print);
      return 0;
    case 'graph':
      await drawFlow(await definitionOf(needsOne()), { format: values.format, out: values.out }, print);
      return 0;
    case 'runs':
      await listRuns(api(), choice(), print);
      return 0;
    case 'library':
      await listLibrary(api(), print);
      return 0;
    case 'install':
      await installFlow(api(), needsOne(), values.set ?? [], print);
      return 0;
    case 'funnel':
      await showFunnel(api(), needsOne(), values.version, print);
      return 0;
    case 'replay':
      return (await replayRuns(api(), operands, choice(), print)) ? 0 : 1;
    default:
      complain(`${command === '' ? 'no command' : `unknown command: flow ${command}`}\n\n${flowUsage}`);
      return 2;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
}

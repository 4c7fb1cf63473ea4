import { dirname, resolve } from 'node:path';
import { type FlowDefinition, FlowTestFile, runFlowTest } from '@switchyard/flows';
import { Compile } from 'typebox/compile';
import { CliError } from '../cli-error.ts';
import { readDocument, readFlow, toFlow } from './read-document.ts';

const schema = Compile(FlowTestFile);

/**
 * Runs files of flow tests on the engine, without a server.
 *
 * @returns whether all passed.
 * @throws CliError for a file that is none.
 */
export async function testFlows(paths: readonly string[], print: (line: string) => void): Promise<boolean> {
  let passed = 0;
  let failed = 0;
  for (const path of paths) {
    const { definition, flows, tests } = await readTests(path);
    for (const test of tests) {
      const result = runFlowTest(definition, test, flows);
      print(`${result.ok ? 'ok' : 'not ok'} ${path}: ${result.name}`);
      if (result.ok) {
        passed += 1;
        continue;
      }
      failed += 1;
      for (const { mark, text } of result.lines)
        for (const [index, line] of text.split('\n').entries())
          print(`    ${mark} ${index === 0 ? '' : '  '}${line}`);
    }
  }
  print(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

async function readTests(path: string): Promise<{
  definition: FlowDefinition;
  flows: Record<string, FlowDefinition>;
  tests: FlowTestFile['tests'];
}> {
  const document = await readDocument(path);
  if (!schema.Check(document)) {
    const lines = [...schema.Errors(document)]
      .slice(0, 10)
      .map(({ instancePath, message }) => `  ${instancePath || '/'} ${message}`);
    throw new CliError(`${path} is no file of flow tests:\n${lines.join('\n')}`);
  }
  const load = (flow: FlowTestFile['flow']) =>
    typeof flow === 'string' ? readFlow(resolve(dirname(path), flow)) : toFlow(flow, path);
  const flows: Record<string, FlowDefinition> = {};
  for (const [id, flow] of Object.entries(document.flows ?? {})) flows[id] = await load(flow);
  return { definition: await load(document.flow), flows, tests: document.tests };
}

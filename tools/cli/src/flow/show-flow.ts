import { writeFile } from 'node:fs/promises';
import { type FlowDefinition, type ScriptLine, simulateFlow, toMermaid, toSvg } from '@switchyard/flows';
import { CliError } from '../cli-error.ts';

/** Draws a flow. */
export async function drawFlow(
  definition: FlowDefinition,
  options: { format: string; out: string | undefined },
  print: (line: string) => void,
): Promise<void> {
  const { format, out } = options;
  if (format !== 'svg' && format !== 'mermaid') throw new CliError('--format must be svg or mermaid');
  const picture = format === 'svg' ? toSvg(definition) : toMermaid(definition);
  if (out === undefined) print(picture.trimEnd());
  else {
    await writeFile(out, picture);
    print(`${out} shows "${definition.name}"`);
  }
}

/** Has a conversation with a flow, in which the person says these lines. */
export function talkToFlow(
  definition: FlowDefinition,
  said: readonly string[],
  print: (line: string) => void,
): void {
  const script: ScriptLine[] = said.map((line) =>
    line.startsWith('tap:') ? { tap: line.slice('tap:'.length) } : { say: line },
  );
  const { transcript, status, failure } = simulateFlow(definition, script, {}, Date.now());
  for (const { from, text, buttons = [] } of transcript)
    print(`${from}: ${text}${buttons.map((title) => ` [${title}]`).join('')}`);
  print(`the run is ${status}${failure === undefined ? '' : `: ${failure.message}`}`);
}

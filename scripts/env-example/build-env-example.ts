import { describeFields, type FieldDescription } from '../../packages/config/src/index.ts';
import { configFields as campaignSenderFields } from '../../services/campaign-sender/src/config.ts';
import { flowEngineFields } from '../../services/flow-engine/src/config.ts';
import { ingressFields } from '../../services/ingress/src/config.ts';
import { metricsExporterFields } from '../../services/metrics-exporter/src/config.ts';
import { notifierFields } from '../../services/notifier/src/config.ts';
import { simulatorFields } from '../../tools/simulator/src/config.ts';
import { otherVariables } from './other-variables.ts';

const programs = {
  ingress: ingressFields,
  'campaign-sender': campaignSenderFields,
  'flow-engine': flowEngineFields,
  notifier: notifierFields,
  'metrics-exporter': metricsExporterFields,
  simulator: simulatorFields,
};
const serviceCount = Object.keys(programs).length - 1;

/** A variable as one program reads it. */
interface Use {
  program: string;
  field: FieldDescription;
}

const introduction = `# Every variable that Switchyard reads, grouped by who reads it. Copy this file to .env and uncomment what you change.
# Behind "=" stands the default; an empty value counts as not set. [secret] is never logged, and its default, where
# development has one, is not shown. Any variable of the services can come from a file: <NAME>_FILE=/path.
# This file is generated from the services' own settings: npm run env:example
`;

/** The text of `.env.example`: every variable once. */
export function buildEnvExample(): string {
  const uses = new Map<string, Use[]>();
  for (const [program, fields] of Object.entries(programs))
    for (const field of describeFields(fields))
      uses.set(field.variable, [...(uses.get(field.variable) ?? []), { program, field }]);

  const groups = new Map<string, Use[][]>();
  for (const each of uses.values()) {
    const title = titleOf(each);
    groups.set(title, [...(groups.get(title) ?? []), each]);
  }
  // What most read comes first.
  const sections = [...groups].toSorted(([, [a]], [, [b]]) => (b?.length ?? 0) - (a?.length ?? 0));
  for (const [title, fields] of Object.entries(otherVariables))
    sections.push([title, fields.map((field) => [{ program: title, field }])]);
  const text = sections.map(
    ([title, variables]) => `\n# ===== ${title} =====\n\n${variables.map(describe).join('\n')}`,
  );
  return `${introduction}${text.join('')}`;
}

/** The five services are all services, whether or not the simulator reads the variable too. */
function titleOf(uses: readonly Use[]): string {
  const readers = uses.map(({ program }) => program);
  const isOfAll = readers.filter((program) => program !== 'simulator').length === serviceCount;
  const isOfOneQueue = /^QUEUE_(?!BACKOFF_DELAY$)[A-Z]+_/.test(uses[0]?.field.variable ?? '');
  if (isOfAll && isOfOneQueue) return 'all services, of one queue each';
  return isOfAll ? 'all services' : readers.join(', ');
}

function describe(uses: readonly Use[]): string {
  const [{ field } = {} as Use] = uses;
  const values = new Map<string, string[]>();
  for (const { program, field: own } of uses)
    if (own.default !== undefined) values.set(own.default, [...(values.get(own.default) ?? []), program]);
  const marks = [
    ...(field.secret ? ['[secret]'] : []),
    ...(field.required ? ['[required]'] : []),
    ...(uses.some((use) => use.field.requiredInProduction) ? ['[required in production]'] : []),
  ];
  const differs =
    !field.secret && values.size > 1
      ? ` Defaults: ${[...values].map(([value, by]) => `${value} (${by.join(', ')})`).join('; ')}.`
      : '';
  const sentence = field.description.replace(/\.?$/, '.');
  const value = field.secret ? '' : ([...values.keys()][0] ?? '');
  return `# ${[sentence, ...marks].join(' ')}${differs}\n# ${field.variable}=${value}\n`;
}

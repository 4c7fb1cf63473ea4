import type { Static, TObject } from 'typebox';
import { Check, Clean, Default, Errors } from 'typebox/value';
import type { FlowDefinition } from '../definitions/definition.ts';
import type { FlowTest } from '../testing/flow-test.ts';

/** A flow that a merchant installs by one call. */
export interface ReadyMadeFlow {
  name: string;
  description: string;
  /** What can be set when it is installed; every setting has a default. */
  settings: TObject;
  /** @param settings checked against the schema. */
  build(settings: Record<string, unknown>): FlowDefinition;
  /** What it does with its default settings. */
  tests: FlowTest[];
}

/** Declares a ready-made flow; gives `build` the type of its settings. */
export function readyMade<S extends TObject>(flow: {
  name: string;
  description: string;
  settings: S;
  build(settings: Static<S>): FlowDefinition;
  tests: FlowTest[];
}): ReadyMadeFlow {
  return flow as unknown as ReadyMadeFlow;
}

/** Something wrong with a setting. */
export interface SettingProblem {
  path: string;
  message: string;
}

/** Builds a ready-made flow. @returns the definition, or what is wrong with the settings. */
export function buildReadyMade(
  flow: ReadyMadeFlow,
  settings: Record<string, unknown> = {},
): { definition: FlowDefinition } | { problems: SettingProblem[] } {
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(flow.settings.properties, name));
  if (unknown.length > 0)
    return { problems: unknown.map((name) => ({ path: `/${name}`, message: 'is no setting of this flow' })) };
  const whole = Default(flow.settings, Clean(flow.settings, structuredClone(settings))) as Record<
    string,
    unknown
  >;
  if (!Check(flow.settings, whole))
    return {
      problems: [...Errors(flow.settings, whole)].map(({ instancePath, message }) => ({
        path: instancePath,
        message,
      })),
    };
  return { definition: flow.build(whole) };
}

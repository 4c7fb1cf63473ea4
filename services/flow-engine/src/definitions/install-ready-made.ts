import { isDeepStrictEqual } from 'node:util';
import { buildReadyMade, flowLibrary } from '@switchyard/flows';
import { flowSettingsInvalid, readyMadeUnknown } from '../errors.ts';
import type { FlowDetails, FlowStore } from './create-flow-store.ts';

/** What came of an installation. */
export interface Installation {
  flow: FlowDetails;
  /** `installed`; `changed`: it was there with other settings; `unchanged`: it was there just so. */
  outcome: 'installed' | 'changed' | 'unchanged';
}

/**
 * Installs a ready-made flow for a merchant, and publishes it. Installed again, with other settings for instance, it becomes a new
 * version of the flow that is there; runs under way stay on theirs.
 *
 * Dies in between: a draft is left, which the next call finds and publishes.
 *
 * @throws CodedError READY_MADE_UNKNOWN, FLOW_SETTINGS_INVALID, FLOW_LIMIT_REACHED
 */
export async function installReadyMade(
  flows: FlowStore,
  merchantId: string,
  name: string,
  settings: Record<string, unknown>,
): Promise<Installation> {
  const readyMade = flowLibrary.find((each) => each.name === name);
  if (!readyMade)
    throw readyMadeUnknown(`there is no ready-made flow "${name}"`, {
      details: { name, names: flowLibrary.map((each) => each.name) },
    });
  const built = buildReadyMade(readyMade, settings);
  if ('problems' in built) {
    const [first] = built.problems;
    throw flowSettingsInvalid(`settings${first?.path} ${first?.message}`, {
      details: { problems: built.problems },
    });
  }
  const { definition } = built;
  const known = (await flows.list(merchantId)).find(
    (each) => each.name === definition.name && each.state === 'active',
  );
  if (!known) {
    const { id } = await flows.create(merchantId, definition);
    return { flow: await flows.publish(merchantId, id), outcome: 'installed' };
  }
  if (known.publishedVersion !== null) {
    const published = await flows.get(merchantId, known.id, known.publishedVersion);
    if (isDeepStrictEqual(published.definition, definition)) return { flow: published, outcome: 'unchanged' };
  }
  await flows.saveDraft(merchantId, known.id, definition);
  return { flow: await flows.publish(merchantId, known.id), outcome: 'changed' };
}

import type { ListedTemplate } from './template-store.ts';

type Loose = Record<string, unknown>;

/** Fields of a template that are asked for. */
export const templateListFields =
  'id,name,language,status,category,parameter_format,components,quality_score,rejected_reason';

/** Reads a template as the Graph API lists it; undefined for what is none. */
export function readListed(item: Loose): ListedTemplate | undefined {
  const { id, name, language, status, category, components, rejected_reason: reason } = item;
  if (typeof name !== 'string' || typeof language !== 'string' || typeof status !== 'string')
    return undefined;
  const quality = (item.quality_score as { score?: unknown } | undefined)?.score;
  return {
    name,
    language,
    providerTemplateId: typeof id === 'string' || typeof id === 'number' ? String(id) : null,
    status,
    statusReason: typeof reason === 'string' && reason !== 'NONE' ? reason : null,
    category: typeof category === 'string' ? category : null,
    quality: typeof quality === 'string' ? quality : null,
    isNamed: String(item.parameter_format).toUpperCase() === 'NAMED',
    components: JSON.stringify(Array.isArray(components) ? components : []),
  };
}

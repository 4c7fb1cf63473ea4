import type { Api } from './create-api.ts';

interface App {
  id: string;
  kind: string;
  name: string;
  managedBy: string;
}

interface Source {
  id: string;
  kind: string;
  sourceKey: string;
  appId: string;
  status: string;
}

/** What is to be connected. */
export interface Wanted {
  readonly kind: 'whatsapp' | 'shopify';
  readonly sourceKey: string;
  readonly accountKey?: string | undefined;
  readonly secret: string;
  readonly verifyToken?: string | undefined;
}

/** The source and its app as they are now. */
export interface Ensured {
  readonly appId: string;
  readonly isManagedByEnvironment: boolean;
}

/**
 * Makes sure that ingress knows the number or shop and the app that signs for it. What is there is used; a source that is disabled is
 * enabled.
 */
export async function ensureSource(
  ingress: Api,
  wanted: Wanted,
  print: (line: string) => void,
): Promise<Ensured> {
  const { kind, sourceKey, accountKey, secret, verifyToken } = wanted;
  const sources = await ingress.call<Source[]>('GET', '/api/v1/sources');
  const apps = await ingress.call<App[]>('GET', '/api/v1/apps');
  const known = sources.find((each) => each.kind === kind && each.sourceKey === sourceKey);
  if (known) {
    if (known.status === 'disabled') {
      await ingress.call('PATCH', `/api/v1/sources/${known.id}`, { status: 'active' });
      print(`enabled ${sourceKey}`);
    } else print(`${sourceKey} is known`);
    const app = apps.find(({ id }) => id === known.appId);
    return { appId: known.appId, isManagedByEnvironment: app?.managedBy === 'environment' };
  }
  // An app by that name is left where an earlier call was cut off.
  const name = `switchyard connect ${sourceKey}`;
  const left = apps.find((each) => each.kind === kind && each.name === name);
  const app =
    left ??
    (await ingress.call<App>('POST', '/api/v1/apps', {
      kind,
      name,
      secret,
      ...(verifyToken !== undefined && { verifyToken }),
    }));
  await ingress.call('POST', '/api/v1/sources', {
    kind,
    sourceKey,
    appId: app.id,
    ...(accountKey !== undefined && { accountKey }),
  });
  print(`added ${sourceKey}`);
  return { appId: app.id, isManagedByEnvironment: false };
}

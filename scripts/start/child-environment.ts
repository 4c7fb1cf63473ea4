import type { ServiceEntry } from './service-list.ts';

type Environment = Record<string, string | undefined>;

/** Who may see a variable; every other variable goes to all. */
const confined: readonly { pattern: RegExp; to: 'services' | readonly string[] }[] = [
  { pattern: /^TOKEN_SIGNING_KEY(_FILE)?$/, to: ['ingress'] },
  { pattern: /^WHATSAPP_/, to: ['ingress', 'campaign-sender', 'simulator'] },
  { pattern: /^SIMULATOR_/, to: ['simulator'] },
  { pattern: /^SHOPIFY_API_SECRET(_FILE)?$/, to: ['ingress', 'simulator'] },
  { pattern: /^SHOPIFY_SHOP_DOMAIN(_FILE)?$/, to: ['ingress', 'flow-engine', 'simulator'] },
  { pattern: /^(SHOPIFY|AI)_/, to: ['flow-engine'] },
  { pattern: /^(SMTP_|EMAIL_FROM)/, to: ['notifier'] },
  { pattern: /^(DATABASE_URL|REDIS_.*|ENCRYPTION_KEYS|SWITCHYARD_API_KEY)(_FILE)?$/, to: 'services' },
];

/**
 * The environment of one process: what is configured and generated, less what is none of its business.
 *
 * @param entry whose.
 * @param shared the whole environment.
 * @param own what only this process gets.
 */
export function childEnvironment(entry: ServiceEntry, shared: Environment, own: Environment): Environment {
  const isService = entry.folder.startsWith('services/');
  const result: Environment = {};
  for (const [name, value] of Object.entries(shared)) {
    if (value === undefined || /^npm_/.test(name) || name === 'PORT') continue;
    const rule = confined.find(({ pattern }) => pattern.test(name));
    if (!rule || (rule.to === 'services' ? isService : rule.to.includes(entry.name))) result[name] = value;
  }
  return { ...result, ...own };
}

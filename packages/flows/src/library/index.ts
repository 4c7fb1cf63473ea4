import { abandonedCheckout } from './abandoned-checkout.ts';
import { aiSupport } from './ai-support.ts';
import { orderUpdates } from './order-updates.ts';
import type { ReadyMadeFlow } from './ready-made.ts';
import { welcomeMenu } from './welcome-menu.ts';

/** Flows that a merchant installs by one call. */
export const flowLibrary: readonly ReadyMadeFlow[] = [
  welcomeMenu,
  abandonedCheckout,
  orderUpdates,
  aiSupport,
];

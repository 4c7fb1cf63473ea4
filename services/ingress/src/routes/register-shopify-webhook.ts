import { jobMetaOf, type ServiceApp } from '@switchyard/service-kit';
import type { BodyBudget } from '../intake/create-body-budget.ts';
import type { ShopifyIntake } from '../shopify/create-shopify-intake.ts';
import { registerRawPost } from './register-raw-post.ts';

/** `POST /webhooks/shopify`, for every topic. */
export async function registerShopifyWebhook(
  app: ServiceApp,
  { intake, budget }: { intake: Pick<ShopifyIntake, 'receive'>; budget: BodyBudget },
): Promise<void> {
  registerRawPost(app, {
    url: '/webhooks/shopify',
    budget,
    handle: (body, request) => intake.receive(body, request.headers, jobMetaOf(request)),
  });
}

import { type ConfigFields, field } from '@switchyard/config';

/** The first merchant's shop (requirement R7.2), for the services that need it. */
export const shopifyFields = {
  shopifyShopDomain: field.string('SHOPIFY_SHOP_DOMAIN', {
    description: 'Domain of the first shop, `<name>.myshopify.com`',
    optional: true,
    pattern: '^[A-Za-z0-9][A-Za-z0-9-]*(\\.[A-Za-z0-9][A-Za-z0-9-]*)+$',
  }),
  shopifyApiSecret: field.string('SHOPIFY_API_SECRET', {
    description: "Client secret of the shop's app: signs its webhooks",
    optional: true,
    secret: true,
  }),
} satisfies ConfigFields;

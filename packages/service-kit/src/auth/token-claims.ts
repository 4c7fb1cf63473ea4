import Type, { type Static } from 'typebox';

/** Who issues tokens, and whom they are for. Fixed: they name the product, not an installation. */
export const tokenIssuerName = 'switchyard';
/** Whom tokens are for. */
export const tokenAudience = 'switchyard-api';

/** The claims that every token carries beside issuer, audience and times. */
export const tokenClaimsSchema = Type.Object({
  sub: Type.String({ minLength: 1, maxLength: 191 }),
  merchantId: Type.String({ minLength: 1, maxLength: 64 }),
  scopes: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 100 }),
});

/** {@link tokenClaimsSchema}, typed. */
export type TokenClaims = Static<typeof tokenClaimsSchema>;

/** A merchant's shop, as flows look into it. */
export interface ShopsTable {
  id: string;
  merchantId: string;
  shopDomain: string;
  accessTokenSealed: string;
  /** Null: it does not expire. */
  tokenExpiresAtMs: number | null;
  refreshTokenSealed: string | null;
  clientId: string | null;
  clientSecretSealed: string | null;
  /** `unauthorized`: Shopify no longer takes the tokens. */
  state: 'active' | 'unauthorized';
  stateReason: string | null;
  origin: 'api' | 'environment';
  createdAtMs: number;
  updatedAtMs: number;
}

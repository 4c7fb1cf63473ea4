import { merchantForbidden, scopeMissing } from '../errors.ts';

/** Who makes a request, and for which merchant. The only source of a merchant id in a handler. */
export interface Principal {
  /** The user or API key behind the request. */
  subject: string;
  /** The merchant whose data the request may touch. */
  merchantId: string;
  /** The merchant that the credential belongs to; differs only where an admin acts for another. */
  homeMerchantId: string;
  scopes: readonly string[];
}

/** The scope that reaches across merchants. `*` doesn't include it: a merchant's own key may hold `*`. */
export const adminScope = 'admin';

/** Whether a principal holds a scope. `*` stands for every scope within the merchant, so not for `admin`. */
export function hasScope(principal: Principal, scope: string): boolean {
  return principal.scopes.includes(scope) || (scope !== adminScope && principal.scopes.includes('*'));
}

/** @throws CodedError SCOPE_MISSING when the principal lacks one of the scopes. */
export function checkScopes(principal: Principal, scopes: readonly string[]): void {
  for (const scope of scopes) {
    if (!hasScope(principal, scope)) {
      throw scopeMissing(`this needs the scope ${scope}`, { details: { scope } });
    }
  }
}

/**
 * Applies the header `x-merchant-id`: an admin acts for the merchant it names, anybody else may only name his own.
 *
 * @throws CodedError MERCHANT_FORBIDDEN for another merchant without the scope `admin`, or for a malformed id.
 */
export function actFor(principal: Principal, header: string | string[] | undefined): Principal {
  if (header === undefined || header === principal.merchantId) return principal;
  if (!hasScope(principal, adminScope)) {
    throw merchantForbidden('only an admin may act for another merchant', {
      details: { scope: adminScope },
    });
  }
  if (typeof header !== 'string' || !/^[\w-]{1,64}$/.test(header)) {
    throw merchantForbidden('x-merchant-id must be one id of letters, digits, _ and -, at most 64');
  }
  return { ...principal, merchantId: header };
}

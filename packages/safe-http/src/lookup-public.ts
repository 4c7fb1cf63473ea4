import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressRefused } from './errors.ts';
import { isPublicAddress } from './is-public-address.ts';

/**
 * A name look-up that yields public addresses only: the connection is made to the very address that was checked, so that a name
 * whose meaning changes in between gains nothing.
 *
 * Node calls it for names alone; addresses in the URL itself are checked by `checkUrl`.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, '', 0);
      return;
    }
    const [first] = addresses;
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      callback(addressRefused('the name points into a private network', { details: { hostname } }), '', 0);
      return;
    }
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

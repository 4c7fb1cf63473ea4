import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { endpointUrlRefused } from '../errors.ts';

/** Whether an address belongs to the public internet; an IPv4 address in IPv6 clothes counts as what it is. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === 'unicast';
}

/**
 * Checks the address of an endpoint as far as that goes without asking the network. A name is checked again when it is
 * connected to, since what it stands for can change.
 *
 * @throws ENDPOINT_URL_REFUSED
 */
export function checkEndpointUrl(text: string, allowPrivateNetworks: boolean): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw endpointUrlRefused('url must be an absolute URL', { details: { field: 'url' } });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw endpointUrlRefused('url must start with https:// or http://', { details: { field: 'url' } });
  }
  if (url.username || url.password) {
    throw endpointUrlRefused('url must not hold a user name or password', { details: { field: 'url' } });
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // The URL parser has turned every spelling of an IPv4 address (hexadecimal, one number) into the usual one.
  if (!allowPrivateNetworks && ipaddr.isValid(host) && !isPublicAddress(host)) {
    throw endpointUrlRefused('url must not point into a private network', { details: { field: 'url' } });
  }
  return url;
}

/**
 * A name look-up that yields public addresses only: the connection is made to the very address that was checked.
 *
 * Node calls it for names alone; addresses in the URL itself are checked by {@link checkEndpointUrl}.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, '', 0);
      return;
    }
    const [first] = addresses;
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      callback(
        endpointUrlRefused('the name points into a private network', { details: { hostname } }),
        '',
        0,
      );
      return;
    }
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

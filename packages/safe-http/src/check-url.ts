import ipaddr from 'ipaddr.js';
import { addressRefused } from './errors.ts';
import { isPublicAddress } from './is-public-address.ts';

/** Names that never stand for a place on the public internet (RFC 6761, RFC 8375, and what clouds call their own). */
const privateNames = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/;

/** What lies outside of the public internet and may be asked nevertheless. */
export interface UrlPolicy {
  /** All of it: for development, or where operators chose the address. */
  allowPrivateNetworks: boolean;
  /** Some of it, as `host` or `host:port`, in lower case. */
  allowedHosts?: readonly string[];
}

/** Whether this policy lets a URL lead into a private network. */
export function isAllowedInside(url: URL, { allowPrivateNetworks, allowedHosts = [] }: UrlPolicy): boolean {
  return allowPrivateNetworks || allowedHosts.includes(url.host) || allowedHosts.includes(url.hostname);
}

/**
 * Checks an address as far as that goes without asking the network. A name is checked again when it is connected to, since what it
 * stands for can change.
 *
 * @param text absolute, `http` or `https`, without user name and password.
 * @throws ADDRESS_REFUSED
 */
export function checkUrl(text: string, policy: UrlPolicy): URL {
  const url = URL.parse(text);
  if (url === null) throw addressRefused('must be an absolute URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw addressRefused('must start with https:// or http://');
  if (url.username || url.password) throw addressRefused('must not hold a user name or password');
  if (isAllowedInside(url, policy)) return url;
  // The URL parser has turned every spelling of an IPv4 address (octal, hexadecimal, one number, full-width digits) into the usual one.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host) ? !isPublicAddress(host) : privateNames.test(host))
    throw addressRefused('must not point into a private network');
  return url;
}

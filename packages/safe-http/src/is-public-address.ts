import ipaddr from 'ipaddr.js';

/** Addresses in public ranges that clouds answer from inside: Azure's host. */
const inside = new Set(['168.63.129.16']);

/** Today's global unicast space; what is outside (`::7f00:1`, `100:…`) is reserved, translated or old. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether an address belongs to the public internet; an IPv4 address in IPv6 clothes counts as what it is. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || inside.has(parsed.toString())) return false;
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(globalUnicast);
}

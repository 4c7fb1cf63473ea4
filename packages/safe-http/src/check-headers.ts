import { headerRefused } from './errors.ts';

/** They speak of the connection, or say what the request's framing is: never the caller's to set. */
const ofTheConnection =
  /^(host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect|accept-encoding|proxy-.*)$/i;

/**
 * Checks request headers that others wrote: no line breaks, nothing that would change where the request goes or ends.
 *
 * @throws HEADER_REFUSED
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    const header = name.slice(0, 64);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name))
      throw headerRefused('a header has a name that is none', { details: { header } });
    if (ofTheConnection.test(name))
      throw headerRefused(`the header ${header} can't be set`, { details: { header } });
    if (typeof value !== 'string' || value.length > 8192 || !isFieldValue(value))
      throw headerRefused(`the header ${header} has a value that HTTP does not allow`, {
        details: { header },
      });
  }
  return { ...headers };
}

/** Latin-1 without control characters; a tab is allowed (RFC 9110, 5.5). */
function isFieldValue(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

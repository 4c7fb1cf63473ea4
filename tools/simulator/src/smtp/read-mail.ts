/** A mail's headers and its readable text. */
export interface ReadMail {
  /** Names in lower case; of a repeated one, the last. */
  headers: Record<string, string>;
  subject: string;
  messageId: string;
  /** Its first `text/plain` part; empty when there is none. */
  text: string;
  /** Its first `text/html` part; empty when there is none. */
  html: string;
}

/** Reads a mail as far as people want to see it: headers unfolded, words and bodies decoded (UTF-8). */
export function readMail(raw: string): ReadMail {
  const { headers, body } = split(raw);
  return {
    headers,
    subject: decodeWords(headers.subject ?? ''),
    messageId: headers['message-id'] ?? '',
    text: findPart(headers, body, 'text/plain') ?? '',
    html: findPart(headers, body, 'text/html') ?? '',
  };
}

function split(raw: string): { headers: Record<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const head = end < 0 ? raw : raw.slice(0, end);
  const headers: Record<string, string> = {};
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const at = line.indexOf(':');
    if (at > 0) headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
  }
  return { headers, body: end < 0 ? '' : raw.slice(end + 4) };
}

function findPart(
  headers: Record<string, string>,
  body: string,
  type: string,
  depth = 0,
): string | undefined {
  const contentType = headers['content-type'] ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary !== undefined && depth < 5) {
    for (const part of body.split(`--${boundary}`).slice(1, -1)) {
      const inner = split(part.replace(/^\r\n/, ''));
      const found = findPart(inner.headers, inner.body.replace(/\r\n$/, ''), type, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!contentType.toLowerCase().startsWith(type)) return undefined;
  return decodeBody(body, headers['content-transfer-encoding'] ?? '')
    .replace(/\r\n/g, '\n')
    .trimEnd();
}

function decodeBody(body: string, encoding: string): string {
  if (/base64/i.test(encoding)) return Buffer.from(body, 'base64').toString('utf8');
  if (/quoted-printable/i.test(encoding)) return decodeQuoted(body.replace(/=\r\n/g, ''));
  return body;
}

function decodeQuoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of RFC 2047. */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_all, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    );
}

const KEY = Buffer.from('"phone_number_id"');

/**
 * The first number that the bytes of a webhook seem to name; a guess, made without parsing. The body is not believed before its
 * signature was checked: it only says which secret to try first.
 */
export function peekNumber(body: Buffer): string | undefined {
  const at = body.indexOf(KEY);
  if (at < 0) return undefined;
  const after = body.toString('latin1', at + KEY.length, at + KEY.length + 80);
  return /^\s*:\s*"?(\d{1,64})/.exec(after)?.[1];
}

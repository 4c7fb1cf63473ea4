import type { DialectName } from './dialects.ts';

/** Quotes a name. Names come from our own code; anything but a plain word is a mistake. */
export function quote(name: string, dialect: DialectName): string {
  if (!/^\w+$/.test(name)) throw new TypeError(`${name} is not a name`);
  return dialect === 'mysql' ? `\`${name}\`` : `"${name}"`;
}

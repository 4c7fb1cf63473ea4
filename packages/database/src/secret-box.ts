import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ConfigError } from '@switchyard/config';
import { secretUnreadable } from './errors.ts';

const algorithm = 'aes-256-gcm';
const version = 'v1';
const ivBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/** Encrypts what is stored but must not be readable in a copy of the database: tokens, app secrets. */
export interface SecretBox {
  /**
   * Encrypts with the current key.
   *
   * @param context what the secret belongs to (`sender:<id>:token`): it opens for nothing else, so that a sealed value copied
   * to another row is of no use.
   */
  seal(text: string, context: string): string;
  /** @throws SECRET_UNREADABLE when its key is missing, or it was changed, or sealed for another context. */
  open(sealed: string, context: string): string;
  /** Whether it was sealed with another than the current key: open it and seal it again. */
  needsRotation(sealed: string): boolean;
}

/**
 * Makes the box of a service's keys (AES-256-GCM).
 *
 * @param keys `id:key,…`, each key 32 bytes in base64. The first seals; all open. To rotate, put a new one in front, and drop the
 * old one when nothing needs rotation any more.
 * @throws ConfigError naming ENCRYPTION_KEYS; never repeats a key.
 */
export function createSecretBox(keys: string): SecretBox {
  const byId = parseKeys(keys);
  const [currentId, currentKey] = [...byId][0] as [string, Buffer];
  return {
    seal(text, context) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, currentKey, iv, { authTagLength: tagBytes });
      cipher.setAAD(associated(currentId, context));
      const body = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${version}.${currentId}.${body.toString('base64url')}`;
    },
    open(sealed, context) {
      const { keyId, body } = parse(sealed);
      const key = byId.get(keyId);
      if (!key)
        throw secretUnreadable(`the key "${keyId}" is not among ENCRYPTION_KEYS`, { details: { keyId } });
      try {
        const decipher = createDecipheriv(algorithm, key, body.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(associated(keyId, context));
        decipher.setAuthTag(body.subarray(-tagBytes));
        return Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()]).toString(
          'utf8',
        );
      } catch (cause) {
        throw secretUnreadable('the secret was changed, or sealed for something else', {
          details: { keyId },
          cause,
        });
      }
    },
    needsRotation: (sealed) => parse(sealed).keyId !== currentId,
  };
}

function associated(keyId: string, context: string): Buffer {
  return Buffer.from(`${version}.${keyId}.${context}`, 'utf8');
}

function parse(sealed: string): { keyId: string; body: Buffer } {
  const [, keyId, encoded] = /^v1\.([\w-]+)\.([\w-]+)$/.exec(sealed) ?? [];
  const body = Buffer.from(encoded ?? '', 'base64url');
  if (keyId === undefined || body.length < ivBytes + tagBytes)
    throw secretUnreadable('this is not a sealed secret');
  return { keyId, body };
}

function parseKeys(keys: string): Map<string, Buffer> {
  const byId = new Map<string, Buffer>();
  const entries = keys.split(',').map((entry) => entry.trim());
  for (const entry of entries) {
    const [, id, encoded] = /^([\w-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(entry) ?? [];
    if (id === undefined || encoded === undefined)
      throw new ConfigError('ENCRYPTION_KEYS', 'must be id:key,… with keys in base64');
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== keyBytes)
      throw new ConfigError(
        'ENCRYPTION_KEYS',
        `has a key "${id}" of ${key.length} bytes; it must be ${keyBytes} (openssl rand -base64 32)`,
      );
    if (byId.has(id)) throw new ConfigError('ENCRYPTION_KEYS', `has the id "${id}" twice`);
    byId.set(id, key);
  }
  return byId;
}

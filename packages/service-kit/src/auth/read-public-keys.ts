import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/**
 * Reads Ed25519 public keys from PEM text.
 *
 * @param pem one key or several, one after the other.
 * @returns key id (RFC 7638 thumbprint) → key. Issuer and verifier work ids out alike, so none is configured.
 * @throws Error with what is wrong, fit to follow a variable's name.
 */
export function readPublicKeys(pem: string): Map<string, KeyObject> {
  if (pem.includes('PRIVATE KEY')) throw new Error('holds a private key; it must hold the public one');
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  const rest = blocks.reduce((text, block) => text.replace(block, ''), pem);
  if (blocks.length === 0 || rest.trim() !== '') throw new Error('must be Ed25519 public keys in PEM');
  return new Map(
    blocks.map((block) => {
      const key = readPublicKey(block);
      return [keyId(key), key];
    }),
  );
}

function readPublicKey(block: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(block);
  } catch (error) {
    throw new Error("holds a public key that can't be read", { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('must be Ed25519 public keys in PEM');
  return key;
}

/** The RFC 7638 thumbprint of an Ed25519 public key. */
export function keyId(key: KeyObject): string {
  const { crv, kty, x } = key.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

import { PxError } from '../error/error.ts';

/** First byte of what is sealed, then 12 bytes of nonce, the encrypted bytes, and 16 bytes of tag. */
const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** `node:crypto` costs 3.5 MB: it is loaded when something is sealed, not at start. It has the only synchronous AES-GCM. */
const nodeCrypto = () => process.getBuiltinModule('node:crypto');
const authenticated = (owner: string) => new TextEncoder().encode(`px:${format}:${owner}`);

/** Encrypts for one owner. */
export function seal(key: Uint8Array, owner: string, plain: Uint8Array): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const cipher = nodeCrypto().createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(authenticated(owner));
  const body = cipher.update(plain);
  const rest = cipher.final();
  const sealed = new Uint8Array(1 + nonceBytes + body.length + rest.length + tagBytes);
  sealed[0] = format;
  sealed.set(nonce, 1);
  sealed.set(body, 1 + nonceBytes);
  sealed.set(rest, 1 + nonceBytes + body.length);
  sealed.set(cipher.getAuthTag(), sealed.length - tagBytes);
  return sealed;
}

/** Reverse of {@link seal}. Throws PxError `secret.corrupt` for another key, another owner, or changed bytes. */
export function unseal(key: Uint8Array, owner: string, sealed: Uint8Array): Uint8Array {
  const bodyEnd = sealed.length - tagBytes;
  if (sealed[0] !== format || bodyEnd < 1 + nonceBytes) throw corrupt(owner);
  const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(authenticated(owner));
  decipher.setAuthTag(sealed.subarray(bodyEnd));
  const plain = decipher.update(sealed.subarray(1 + nonceBytes, bodyEnd));
  try {
    const rest = decipher.final();
    return rest.length === 0 ? new Uint8Array(plain) : new Uint8Array(Buffer.concat([plain, rest]));
  } catch (cause) {
    throw corrupt(owner, cause);
  }
}

function corrupt(owner: string, cause?: unknown): PxError {
  return new PxError('secret.corrupt', `a value sealed for ${owner} cannot be decrypted with this master key`, {
    cause,
    hint: 'It was changed, or master.key and px.db are not from the same backup. Set the value again.',
  });
}

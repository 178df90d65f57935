import { PxError } from '../error/error.ts';

/** What a signature is for: one of a plugin is none of px itself. */
export type Signed = 'plugin' | 'release';

/**
 * Signatures of plugins and of px itself: Ed25519 over `px plugin` or `px release`, a line end, the file's SHA-256 in hex and a line end. Beside the file stands
 * `FILE.sig`, a line a signer: `ed25519:PUBLIC-KEY SIGNATURE`, both in base64.
 */
const line = /^ed25519:([A-Za-z0-9+/]{43}=) ([A-Za-z0-9+/]{86}==)$/;
const maxLines = 16;

/** Largest `.sig` file that is read, in bytes. */
export const maxSignature = 4096;

/** Who may be trusted, as `trust` in px.yaml says. */
export interface Trust {
  /** `ed25519:KEY`, and after a space whose it is. */
  keys: string[];
  require: boolean;
}

function signed(sha256: string, what: Signed): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`px ${what}\n${sha256}\n`);
}

/**
 * The trusted key a file was signed with; undefined when it was signed by nobody known. Throws PxError `plugin.signature` when a
 * trusted key's signature is wrong, and when there must be one and is not.
 */
export async function signerOf(
  sha256: string,
  signature: string | undefined,
  trust: Trust,
  what: Signed = 'plugin',
): Promise<string | undefined> {
  const trusted = new Set(trust.keys.map(keyOf));
  const lines = (signature ?? '').split(/\r?\n/).filter((text) => text !== '');
  for (const text of lines.slice(0, maxLines)) {
    const [, key, proof] = line.exec(text) ?? [];
    if (key === undefined || proof === undefined || !trusted.has(`ed25519:${key}`)) continue;
    const publicKey = await crypto.subtle.importKey('raw', Uint8Array.fromBase64(key), 'Ed25519', false, ['verify']);
    if (await crypto.subtle.verify('Ed25519', publicKey, Uint8Array.fromBase64(proof), signed(sha256, what)))
      return `ed25519:${key}`;
    throw new PxError(
      'plugin.signature',
      `its signature by ${nameOf(`ed25519:${key}`, trust.keys)} is not of this file`,
      {
        hint: 'The file was changed after it was signed, or the signature belongs to another version.',
      },
    );
  }
  if (trust.require) throw untrusted(lines.length > 0);
  return undefined;
}

/** Refuses a plugin that was installed under other rules. Throws PxError `plugin.signature`. */
export function checkSigner(signer: string | undefined, trust: Trust): void {
  if (trust.require && signer !== 'px' && !(signer !== undefined && trust.keys.some((key) => keyOf(key) === signer)))
    throw untrusted(signer !== undefined);
}

function untrusted(isSigned: boolean): PxError {
  const why = isSigned ? 'it is signed by nobody that trust.keys names' : 'it is not signed';
  return new PxError('plugin.signature', `${why}, and px.yaml requires that (trust.require)`, {
    hint: 'Add the key of who signed it to trust.keys, after you have it from them; or set trust.require to false.',
  });
}

const keyOf = (key: string) => key.split(' ')[0] ?? '';

/** Whose a key is, as px.yaml says after it; the key itself when it says nothing. */
export function nameOf(key: string, keys: string[]): string {
  const known = keys.find((one) => keyOf(one) === key);
  return known?.slice(key.length).trim() || key;
}

/** Makes a key pair: the private one as PEM, for `px plugin sign`, the public one for `trust.keys`. */
export async function makeKeys(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new PxError('internal', 'Ed25519 gave no key pair');
  const [secret, open] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
    crypto.subtle.exportKey('raw', pair.publicKey),
  ]);
  const body = new Uint8Array(secret).toBase64();
  return {
    privateKey: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    publicKey: `ed25519:${new Uint8Array(open).toBase64()}`,
  };
}

/** The content of the `.sig` file of a plugin's file. Throws PxError `usage` when the key is none. */
export async function signFile(bytes: Uint8Array, privateKey: string, what: Signed = 'plugin'): Promise<string> {
  const body = /-----BEGIN PRIVATE KEY-----([\s\S]+?)-----END PRIVATE KEY-----/.exec(privateKey)?.[1];
  try {
    const der = Uint8Array.fromBase64((body ?? '').replace(/\s/g, ''));
    const key = await crypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign']);
    const { x = '' } = await crypto.subtle.exportKey('jwk', key);
    const digest = new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
    const proof = new Uint8Array(await crypto.subtle.sign('Ed25519', key, signed(digest, what)));
    const open = Uint8Array.fromBase64(x, { alphabet: 'base64url' }).toBase64();
    return `ed25519:${open} ${proof.toBase64()}\n`;
  } catch (cause) {
    throw new PxError('usage', 'the key file holds no private Ed25519 key', {
      cause,
      hint: 'Make one: px plugin keygen px.key',
    });
  }
}

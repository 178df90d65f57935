/** Secrets at rest and the words that must never leave: values live encrypted in `state/px.db`. */
export interface Secrets {
  /** The value by name: the store first, then the environment variable of that name. */
  get(name: string): string | undefined;
  has(name: string): boolean;
  set(name: string, value: string): void;
  remove(name: string): boolean;
  /** Names in the store, sorted. Never values. */
  names(): string[];
  /**
   * A config value with its reference resolved: `secret:NAME` and `${NAME}` (also inside text) become the value.
   * Throws PxError `secret.missing` naming what to set.
   */
  resolve(value: string): string;
  /** Encrypts bytes for one owner (AES-256-GCM; the owner is authenticated data, so a row cannot be moved to another). */
  seal(owner: string, plain: Uint8Array): Uint8Array;
  /** Reverse of seal; throws PxError `secret.corrupt`. */
  unseal(owner: string, sealed: Uint8Array): Uint8Array;
  /** Replaces each known secret value in a text, also base64-, URL-, hex- and JSON-escaped, by `[redacted:NAME]`. */
  scrub(text: string): string;
  /** The same for bytes; the very same array when nothing was found. */
  scrubBytes(bytes: Uint8Array): Uint8Array;
}

export { minScrubLength, openSecrets } from './open.ts';
export { pageData, type SealedData, sealedPage, tableCell, tableTime } from './page.ts';

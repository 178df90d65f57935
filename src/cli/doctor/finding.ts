/** What one check found: one sentence, and what to do when it is not well. */
export interface Finding {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  text: string;
  hint?: string;
  /** Of `sandbox`: each layer, `active` or what is the matter with it. */
  layers?: Record<string, string>;
  fix?: Fix;
}

/** Something that mends what was found, without losing anything. */
export interface Fix {
  /** What is done, as an order: `take the rights of others off FILE`. */
  what: string;
  run(): Promise<unknown>;
}

/** A finding that is well. */
export const fine = (name: string, text: string): Finding => ({ name, state: 'ok', text });

/** Gives up waiting, so that one silent server does not hold up the rest. Rejects with words for a person. */
export async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${seconds} seconds`)), seconds * 1000);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes as people read them: `3.2 GB`. */
export function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

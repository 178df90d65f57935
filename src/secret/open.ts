import type { Environment, Home } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { Log } from '../log/log.ts';
import { openMasterKey } from './key.ts';
import { needles, scrubBytes, scrubText } from './scrub.ts';
import type { Secrets } from './secret.ts';
import { openTable, type SecretStore } from './table.ts';

/** Characters of the shortest value that is covered: shorter ones are words that happen to be secret, and replacing them everywhere would ruin ordinary text. */
export const minScrubLength = 6;
const maxValueLength = 65_536;
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
/** How long the table is taken to be as it was while nobody here reads a value of it, in ms. */
const askEvery = 100;

/** Variables people refer to that hold nothing secret; scrubbing `/home/ada` from every text would only confuse. */
const publicName = /^(?:HOME|USER|LOGNAME|PATH|PWD|SHELL|LANG|LC_\w+|TERM|TZ|TMPDIR|HOSTNAME|XDG_\w+)$/;
const bareOrigin = /^https?:\/\/[^@/?#]+\/?$/i;

/**
 * Opens the secrets of a home: values in `state/px.db`, sealed under `state/master.key`, which is made when first needed.
 * Throws PxError `secret.corrupt` when the key is missing or is not the one the values were sealed with (at first use of it).
 */
export function openSecrets(store: SecretStore, home: Home, env: Environment, log?: Log): Secrets {
  const table = openTable(store);
  const key = openMasterKey(home, table, log);
  /** Values that came from the environment: those a reference has named so far. */
  const fromEnvironment = new Map<string, string>();
  let known: { needles: ReturnType<typeof needles> } | undefined;
  let version = -1;

  /** When the table was last asked for its version; 0 once a value was read, which must be known before it is used. */
  let asked = 0;

  const stored = (name: string): string | undefined => {
    asked = 0;
    const sealed = table.read(name);
    return sealed && new TextDecoder().decode(key.unseal(`secret:${name}`, sealed));
  };
  const environment = (name: string): string | undefined => {
    const value = env.get(name);
    if (value === undefined || value === '') return undefined;
    if (!publicName.test(name) && !bareOrigin.test(value) && fromEnvironment.get(name) !== value) {
      fromEnvironment.set(name, value);
      known = undefined;
    }
    return value;
  };
  const forms = () => {
    // To ask takes longer than to look through most texts, of which a message makes dozens.
    if (known && asked > performance.now() - askEvery) return known.needles;
    // Another process (`px secret set`) may have changed the table: SQLite counts that for us.
    const now = table.version();
    if (!known || version !== now) known = { needles: needles(values()) };
    version = now;
    asked = performance.now();
    return known.needles;
  };
  const values = (): [name: string, value: string][] => {
    const all = new Map(fromEnvironment);
    for (const name of table.names()) {
      const value = stored(name);
      if (value !== undefined) all.set(name, value);
    }
    return [...all].filter(([, value]) => value.length >= minScrubLength);
  };
  const get = (name: string) => stored(name) ?? environment(name);
  const must = (name: string, value: string | undefined): string => {
    if (value !== undefined) return value;
    throw new PxError('secret.missing', `the secret ${name} is referred to and not set`, {
      hint: `Type \`px secret set ${name}\`, or set the environment variable ${name} before starting px.`,
      data: { name },
    });
  };

  return {
    get,
    has: (name) => table.read(name) !== undefined || (env.get(name) ?? '') !== '',
    set: (name, value) => {
      if (!namePattern.test(name))
        throw new PxError('secret.invalid', `${JSON.stringify(name)} is no name for a secret`, {
          hint: 'Use letters, digits, `_`, `.` and `-`, starting with a letter or `_`: TELEGRAM_TOKEN.',
        });
      if (value === '' || value.length > maxValueLength)
        throw new PxError('secret.invalid', `the value of ${name} must have 1 to ${maxValueLength} characters`);
      table.write(name, key.seal(`secret:${name}`, new TextEncoder().encode(value)));
      known = undefined;
    },
    remove: (name) => {
      known = undefined;
      return table.remove(name);
    },
    names: () => table.names(),
    resolve: (value) => {
      const whole = /^secret:([A-Za-z_][A-Za-z0-9_.-]*)$/.exec(value)?.[1];
      if (whole !== undefined) return must(whole, get(whole));
      return value.replace(
        /\$(\$?)\{(secret:)?([A-Za-z_][A-Za-z0-9_.-]*)\}/g,
        (text, doubled: string, secret: string | undefined, name: string) => {
          if (doubled) return text.slice(1);
          return must(name, secret ? get(name) : (environment(name) ?? stored(name)));
        },
      );
    },
    seal: key.seal,
    unseal: key.unseal,
    scrub: (text) => (text.length < minScrubLength ? text : scrubText(text, forms())),
    scrubBytes: (bytes) => (bytes.length < minScrubLength ? bytes : scrubBytes(bytes, forms())),
  };
}

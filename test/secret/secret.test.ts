import { afterEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment, Home } from '../../src/config/config.ts';
import { PxError } from '../../src/error/error.ts';
import { createLog, type LogEntry } from '../../src/log/log.ts';
import { openSecrets } from '../../src/secret/secret.ts';
import { openStore } from '../../src/store/store.ts';
import { until } from '../e2e/px.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function newHome(): Home {
  const root = mkdtempSync(join(tmpdir(), 'px-secret-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const at = (name: string) => join(root, name);
  return { root, config: at('px.yaml'), memory: at('memory'), plugins: at('plugins'), state: at('state') };
}

function open(home = newHome(), variables: Record<string, string> = {}) {
  const store = openStore(join(home.state, 'px.db'));
  cleanups.push(() => store.close());
  const env: Environment = { home: undefined, userHome: '/home/ada', get: (name) => variables[name] };
  const entries: LogEntry[] = [];
  // As px has it: what is logged is scrubbed of these very secrets.
  let scrub = (text: string) => text;
  const log = createLog({ scrub: (text) => scrub(text), sinks: [(entry) => entries.push(entry)] });
  const secrets = openSecrets(store, home, env, log);
  scrub = secrets.scrub;
  return { home, store, entries, secrets };
}

function errorOf(work: () => unknown): { code: string; text: string } {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PxError) return { code: thrown.code, text: `${thrown.message}\n${thrown.hint ?? ''}` };
    throw thrown;
  }
  return { code: 'nothing thrown', text: '' };
}

describe('stored secrets', () => {
  test('are kept, listed by name, replaced and removed', () => {
    const { home, store, secrets } = open();
    secrets.set('B_TOKEN', 'one-two-three');
    secrets.set('A_TOKEN', 'grüße ✓');
    secrets.set('B_TOKEN', 'four-five-six');
    store.close();
    const again = open(home).secrets;
    expect(again.names()).toEqual(['A_TOKEN', 'B_TOKEN']);
    expect(again.get('A_TOKEN')).toBe('grüße ✓');
    expect(again.get('B_TOKEN')).toBe('four-five-six');
    expect(again.remove('B_TOKEN')).toBe(true);
    expect(again.remove('B_TOKEN')).toBe(false);
    expect(again.get('B_TOKEN')).toBeUndefined();
    expect([again.has('A_TOKEN'), again.has('B_TOKEN')]).toEqual([true, false]);
  });

  test('do not stand readable in any file of the home', () => {
    const { home, store, secrets } = open();
    secrets.set('TOKEN', 'plain-words-of-a-secret');
    store.close();
    for (const file of ['px.db', 'master.key'])
      expect(readFileSync(join(home.state, file)).includes('plain-words')).toBe(false);
  });

  test('refuse a name or a value that could not be referred to', () => {
    const { secrets } = open();
    for (const name of ['', 'a b', '1X', '../x', 'X}', 'x'.repeat(129)])
      expect(errorOf(() => secrets.set(name, 'value-value')).code).toBe('secret.invalid');
    expect(errorOf(() => secrets.set('OK', '')).code).toBe('secret.invalid');
  });

  test('a row moved to another name cannot be read', () => {
    const { store, secrets } = open();
    secrets.set('CHEAP', 'cheap-value');
    secrets.set('DEAR', 'dear-value-123');
    store.db.run("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'DEAR') WHERE name = 'CHEAP'");
    expect(errorOf(() => secrets.get('CHEAP')).code).toBe('secret.corrupt');
  });
});

describe('the master key', () => {
  test('is made at first use only, 32 bytes, for its owner only', () => {
    const { home, secrets } = open();
    const path = join(home.state, 'master.key');
    expect(existsSync(path)).toBe(false);
    secrets.set('TOKEN', 'value-value');
    expect(statSync(path).size).toBe(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that others could read is closed to them, with a warning', () => {
    const { home, store, secrets } = open();
    secrets.set('TOKEN', 'value-value');
    store.close();
    chmodSync(join(home.state, 'master.key'), 0o644);
    const again = open(home);
    expect(again.secrets.get('TOKEN')).toBe('value-value');
    expect(statSync(join(home.state, 'master.key')).mode & 0o777).toBe(0o600);
    expect(again.entries.map((e) => e.level)).toEqual(['warn']);
  });

  test('is never silently replaced: missing, damaged or foreign ones are told apart', () => {
    const { home, store, secrets } = open();
    secrets.set('TOKEN', 'value-value');
    store.close();
    const path = join(home.state, 'master.key');
    writeFileSync(path, new Uint8Array(32).fill(7));
    expect(errorOf(() => open(home).secrets.get('TOKEN')).text).toContain('is not the key');
    writeFileSync(path, 'short');
    expect(errorOf(() => open(home).secrets.get('TOKEN')).text).toContain('is damaged');
    rmSync(path);
    const { code, text } = errorOf(() => open(home).secrets.seal('plugin/x', new Uint8Array(3)));
    expect(code).toBe('secret.corrupt');
    expect(text).toContain('is missing');
    expect(existsSync(path)).toBe(false);
  });
});

describe('sealing', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const bytes = (value: string) => new TextEncoder().encode(value);

  test('gives back what was sealed, and never seals twice alike', () => {
    const { secrets } = open();
    for (const value of ['', 'x', 'é'.repeat(100_000)])
      expect(text(secrets.unseal('plugin/a', secrets.seal('plugin/a', bytes(value))))).toBe(value);
    expect(secrets.seal('a', bytes('same'))).not.toEqual(secrets.seal('a', bytes('same')));
  });

  test('another owner, any changed byte or a cut end is refused', () => {
    const { secrets } = open();
    const sealed = secrets.seal('plugin/a', bytes('hello'));
    expect(errorOf(() => secrets.unseal('plugin/b', sealed)).code).toBe('secret.corrupt');
    for (let i = 0; i < sealed.length; i++) {
      const changed = new Uint8Array(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(errorOf(() => secrets.unseal('plugin/a', changed)).code).toBe('secret.corrupt');
    }
    for (const end of [0, 1, 12, 13, 28, sealed.length - 1])
      expect(errorOf(() => secrets.unseal('plugin/a', sealed.subarray(0, end))).code).toBe('secret.corrupt');
  });
});

describe('references', () => {
  const variables = {
    API_KEY: 'from-the-environment',
    EMPTY: '',
    HOME: '/home/ada',
    OLLAMA_HOST: 'http://10.0.0.2:11434',
  };

  test('become the value: the store before the environment for a secret, the other way for ${}', () => {
    const { secrets } = open(undefined, variables);
    expect(secrets.resolve('secret:API_KEY')).toBe('from-the-environment');
    secrets.set('API_KEY', 'from-the-store');
    expect(secrets.resolve('secret:API_KEY')).toBe('from-the-store');
    expect(secrets.resolve('Bearer ${secret:API_KEY}!')).toBe('Bearer from-the-store!');
    expect(secrets.resolve('${HOME}/x and ${API_KEY}')).toBe('/home/ada/x and from-the-environment');
    expect(secrets.resolve('no reference, $HOME, $${HOME}, {API_KEY}')).toBe('no reference, $HOME, ${HOME}, {API_KEY}');
  });

  test('inside a value are not followed', () => {
    const { secrets } = open(undefined, { ...variables, TRICK: '${API_KEY} secret:API_KEY' });
    expect(secrets.resolve('${TRICK}')).toBe('${API_KEY} secret:API_KEY');
  });

  test('to what is not set say what to type', () => {
    const { secrets } = open(undefined, variables);
    for (const reference of ['secret:NOPE', 'x ${NOPE}', '${secret:NOPE}']) {
      const { code, text } = errorOf(() => secrets.resolve(reference));
      expect(code).toBe('secret.missing');
      expect(text).toContain('px secret set NOPE');
    }
    expect(errorOf(() => secrets.resolve('${EMPTY}')).code).toBe('secret.missing');
  });
});

describe('scrubbing', () => {
  test('follows set and remove at once', () => {
    const { secrets } = open();
    const text = 'the word is correct-horse';
    expect(secrets.scrub(text)).toBe(text);
    secrets.set('WORD', 'correct-horse');
    expect(secrets.scrub(text)).toBe('the word is [redacted:WORD]');
    expect(new TextDecoder().decode(secrets.scrubBytes(new TextEncoder().encode(text)))).toBe(
      'the word is [redacted:WORD]',
    );
    secrets.remove('WORD');
    expect(secrets.scrub(text)).toBe(text);
  });

  test('follows what another process sets: at once where it is read, soon elsewhere', async () => {
    const { home, secrets } = open();
    secrets.set('FIRST', 'first-value');
    expect(secrets.scrub('second-value')).toBe('second-value');
    open(home).secrets.set('SECOND', 'second-value');
    expect(secrets.resolve('secret:SECOND')).toBe('second-value');
    expect(secrets.scrub('second-value')).toBe('[redacted:SECOND]');
    open(home).secrets.set('THIRD', 'third-value');
    await until('the third value', () => secrets.scrub('third-value') === '[redacted:THIRD]');
  });

  test('covers values from the environment once they were used', () => {
    const { secrets } = open(undefined, { API_KEY: 'from-the-environment', OTHER: 'other-secret-value' });
    secrets.resolve('${API_KEY}');
    secrets.get('OTHER');
    expect(secrets.scrub('from-the-environment other-secret-value')).toBe('[redacted:API_KEY] [redacted:OTHER]');
  });

  test('leaves short values, addresses without a password and well-known paths alone', () => {
    const { secrets } = open(undefined, { PIN: '12345', HOME: '/home/ada', BASE: 'http://10.0.0.2:11434' });
    for (const name of ['PIN', 'HOME', 'BASE']) secrets.get(name);
    const text = '12345 /home/ada http://10.0.0.2:11434';
    expect(secrets.scrub(text)).toBe(text);
  });
});

import { describe, expect, test } from 'bun:test';
import { describeProviders, type ProviderParts } from '../../src/model/providers.ts';

function parts(providers: object, stored: Record<string, string>, env: Record<string, string> = {}): ProviderParts {
  const none = { timeout_seconds: 60 };
  const current = {
    providers: { openai: none, anthropic: none, gemini: none, ollama: none, compatible: {}, ...providers },
  };
  const get = (name: string) => stored[name] ?? env[name];
  const resolve = (text: string) => get(/(?:secret:|\\$\\{)([A-Z_]+)/.exec(text)?.[1] ?? '') ?? text;
  // Only what is read here.
  return {
    config: { current, env: { get: (name: string) => env[name] } },
    secrets: { get, resolve, names: () => Object.keys(stored) },
  } as unknown as ProviderParts;
}

describe('providers', () => {
  const named = (name: string, given: ProviderParts) => describeProviders(given).find((one) => one.name === name);

  test('tell where their key comes from, and nothing of it', () => {
    const given = parts({}, { OPENAI_API_KEY: 'sk-stored' }, { GEMINI_API_KEY: 'sk-env' });
    expect(named('openai', given)).toMatchObject({ key: 'OPENAI_API_KEY is in the secret store', keyNeeded: true });
    expect(named('gemini', given)?.key).toBe('GEMINI_API_KEY is set');
    expect(named('anthropic', given)).toMatchObject({ key: '', url: 'https://api.anthropic.com' });
    expect(JSON.stringify(describeProviders(given))).not.toMatch(/sk-(stored|env)/);
  });

  test.each([
    ['secret:MY_KEY', 'MY_KEY'],
    ['${MY_KEY}', 'MY_KEY'],
    ['${secret:MY_KEY}', 'MY_KEY'],
    ['sk-written-out', 'OPENAI_API_KEY'],
  ])('a key that px.yaml writes as %s is kept as %s', (reference, secret) => {
    const given = parts({ openai: { api_key: reference, timeout_seconds: 60 } }, {});
    expect(named('openai', given)?.secret).toBe(secret);
  });

  test('servers of px.yaml are among them, and need no key', () => {
    const given = parts({ compatible: { lab: { base_url: 'http://lab:1/v1', timeout_seconds: 60 } } }, {});
    expect(named('lab', given)).toMatchObject({ keyNeeded: false, secret: 'LAB_API_KEY', url: 'http://lab:1/v1' });
  });
});

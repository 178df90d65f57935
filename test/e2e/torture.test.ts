import { describe, expect, test } from 'bun:test';
import { notBuilt } from './px.ts';
import { torture } from './torture/torture.ts';

describe.skipIf(notBuilt !== undefined)('px, killed again and again while platform and provider fail', () => {
  test('answers each message once, or says that it does not know; journals and databases stay sound', async () => {
    const { problems, kills } = await torture({ seed: 5, messages: 48, chats: 6, kills: 11, failures: 0.15 });
    expect(problems).toEqual([]);
    expect(Object.keys(kills).length).toBeGreaterThan(3);
  }, 300_000);
});

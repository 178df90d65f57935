import { describe, expect, test } from 'bun:test';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import type { Json } from '../../src/wire/wire.ts';
import { type Answer, type Asked, guestError, runScript } from './run.ts';

const brave = (results: object[]): Answer => ({
  status: 200,
  body: JSON.stringify({
    type: 'search',
    query: { original: 'x' },
    web: { type: 'search', results, family_friendly: true },
  }),
});
const searx = (results: object[]): Answer => ({
  status: 200,
  body: JSON.stringify({
    query: 'x',
    number_of_results: 0,
    results,
    answers: [],
    suggestions: [],
    unresponsive_engines: [],
  }),
});
const page = {
  title: 'A <strong>title</strong> &amp; more',
  url: 'https://a.test/x',
  description: 'What\n <strong>stands</strong> there.',
};

async function searching(http: (request: Asked) => Answer, settings: Record<string, Json> = {}) {
  const plugin = (await bundledPlugins())['web-search'];
  const running = await runScript(new TextDecoder().decode(plugin?.file), 'web-search.js', { http, settings });
  return { ...running, search: (args: object) => running.call('call-tool', 'web_search', JSON.stringify(args)) };
}
const url = 'https://searx.test/';

describe('web_search', () => {
  test('with Brave: titles, addresses and snippets as plain text; the key is a placeholder in its header', async () => {
    const { search, host } = await searching(() => brave([page, { ...page, title: '', age: '3 days ago' }]));
    expect(search({ query: ' px agent ', count: 2 })).toBe(
      '1. A title & more\n   https://a.test/x\n   What stands there.\n\n2. without a title (3 days ago)\n   https://a.test/x\n   What stands there.',
    );
    const [asked] = host.asked;
    expect(asked?.url).toBe('https://api.search.brave.com/res/v1/web/search?q=px+agent&count=2&text_decorations=false');
    expect(asked?.headers).toContainEqual(['X-Subscription-Token', '{{secret:BRAVE_KEY}}']);
  });

  test('with the SearXNG server of the settings, whose start page or search page is named', async () => {
    const found = { title: 'T', url: 'https://b.test/', content: 'C', publishedDate: '2026-01-02T00:00:00' };
    for (const at of [url, 'https://searx.test', 'https://searx.test/search']) {
      const { search, host } = await searching(() => searx([found]), { url: at });
      expect(search({ query: 'x' })).toBe('1. T (2026-01-02)\n   https://b.test/\n   C');
      expect(host.asked[0]?.url).toBe('https://searx.test/search?q=x&format=json');
      expect(JSON.stringify(host.asked[0]?.headers)).not.toContain('secret');
    }
  });

  test('gives no more than asked for, and bounds what stands in each', async () => {
    const many = Array.from({ length: 50 }, () => ({ title: 't'.repeat(999), url, content: '🙂'.repeat(999) }));
    const { search } = await searching(() => searx(many), { url });
    const answer = String(search({ query: 'x', count: 1000 }));
    expect(answer.match(/^\d+\. /gm)).toHaveLength(20);
    expect(answer.length).toBeLessThan(20_000);
    expect(String(search({ query: 'x' })).match(/^\d+\. /gm)).toHaveLength(5);
  });

  test('an answer of any shape gives results or says that there are none', async () => {
    const odd = [
      null,
      [],
      {},
      { results: 'x' },
      { results: [null, 3, {}, { url: 'javascript:alert(1)', title: 'x' }, { url: 7 }] },
    ];
    for (const answer of odd) {
      const { search } = await searching(() => ({ status: 200, body: JSON.stringify(answer) }), { url });
      expect(search({ query: 'x' })).toBe('SearXNG found nothing for "x".');
    }
  });

  test('what goes wrong names the next command', async () => {
    const error = async (http: (request: Asked) => Answer, settings: Record<string, Json> = {}) => {
      const { search } = await searching(http, settings);
      return guestError(() => search({ query: 'x' }));
    };
    const denied = (val: string) => () => {
      throw { tag: 'denied', val };
    };
    expect(await error(denied('no egress rule allows GET'))).toContain('px plugin grant web-search --all');
    expect(await error(denied('the secret BRAVE_KEY is not set'))).toContain('px secret set BRAVE_KEY');
    expect(await error(denied('no egress rule allows GET'), { url })).toContain(
      `px config set plugins.web-search.grants.egress '["GET https://searx.test/search"]'`,
    );
    expect(await error(denied('leads to a private address that private_hosts does not grant'), { url })).toContain(
      `grants.private_hosts '["searx.test:443"]'`,
    );
    expect(await error(() => ({ status: 401, body: '' }))).toContain('px secret set BRAVE_KEY');
    expect(await error(() => ({ status: 403, body: 'Forbidden' }), { url })).toContain('add json to search.formats');
    expect(await error(() => ({ status: 200, body: '<!doctype html>' }), { url })).toContain('no JSON');
    expect(await error(() => brave([]), { engine: 'altavista' })).toContain('should be brave or searxng');
    expect(await error(() => brave([]), { engine: 'searxng' })).toContain('settings.url');
    expect(await error(() => brave([]), { url: 'searx.test' })).toContain('http or https URL');
  });
});

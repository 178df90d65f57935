import { describe, expect, test } from 'bun:test';
import { readPage } from '../../plugins/web-fetch/html.ts';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import { type Answer, guestError, runScript } from './run.ts';

async function fetcher(http: () => Answer) {
  const plugin = (await bundledPlugins())['web-fetch'];
  const running = await runScript(new TextDecoder().decode(plugin?.file), 'web-fetch.js', { http });
  return { ...running, fetch: (args: object) => running.call('call-tool', 'web_fetch', JSON.stringify(args)) };
}
const page = (html: string) => readPage(html, (href) => new URL(href, 'https://x.test/dir/').href);

describe('web_fetch', () => {
  test('gives title, address and readable text', async () => {
    const html = `<html><head><title>A &amp; B</title><style>x{}</style></head><body><nav>menu</nav>
      <h1>Head</h1><p>Some <b>bold</b> text,&nbsp;<a href="/more?x=1&amp;y=2">more</a>.</p><ul><li>one<li>two</ul>
      <script>alert('<p>no</p>')</script><footer>foot</footer></body></html>`;
    const { fetch, host } = await fetcher(() => ({
      status: 200,
      headers: [['Content-Type', 'text/html']],
      body: html,
    }));
    expect(fetch({ url: 'https://x.test/a' })).toBe(
      '# A & B\nhttps://x.test/a\n\n# Head\n\nSome **bold** text, [more](https://x.test/more?x=1&y=2).\n\n- one\n- two',
    );
    expect(host.asked[0]).toMatchObject({ method: 'GET', url: 'https://x.test/a' });
  });

  test('a long page is cut where asked and says so', async () => {
    const { fetch } = await fetcher(() => ({
      status: 200,
      headers: [['content-type', 'text/plain']],
      body: 'y'.repeat(500),
    }));
    expect(fetch({ url: 'https://x.test/', max_chars: 100 })).toBe(
      `https://x.test/\n\n${'y'.repeat(100)}\n\n[cut: 100 of 500 characters]`,
    );
  });

  test('what cannot be read is a typed error', async () => {
    const error = async (http: () => Answer, url = 'https://x.test/') => {
      const { fetch } = await fetcher(http);
      return guestError(() => fetch({ url }));
    };
    const denied = () => {
      throw { tag: 'denied', val: 'no egress rule allows GET https://x.test/' };
    };
    expect(await error(denied)).toMatch(
      /^denied: x\.test is not granted.*web-fetch\.grants\.egress: \["GET https:\/\/x\.test\/"\]/,
    );
    expect(await error(() => ({ status: 404, body: '' }))).toMatch(/^http 404: x\.test/);
    expect(await error(() => ({ status: 200, headers: [['content-type', 'image/png']], body: '' }))).toMatch(
      /^unreadable: image\/png/,
    );
    expect(await error(() => ({ status: 200, body: '' }), 'file:///etc/passwd')).toMatch(/^invalid: /);
  });
});

describe('a page as Markdown', () => {
  test('only the main part counts when there is one', () => {
    const filler = 'word '.repeat(60);
    expect(page(`<div>around</div><main><p>${filler}</p></main><div>after</div>`).text).toBe(filler.trim());
  });
  test('lists nest, code keeps its lines, rows stand apart', () => {
    const { text } = page(
      '<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol><pre><code>if (x &lt; 1)\n  y</code></pre><table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>',
    );
    expect(text).toBe('1. a\n  - b\n2. c\n\n```\nif (x < 1)\n  y\n```\n\n1 | 2 |\n3 |');
  });
  test('broken and hostile markup gives some text, quickly', () => {
    const at = performance.now();
    for (const bad of ['<', '<a href="', '</p></div>', '<p'.repeat(1000), '<!--', '&#x110000;&#0;&nope;', '<script>x'])
      expect(typeof page(bad).text).toBe('string');
    page('<a '.repeat(200_000));
    page('<!'.repeat(200_000));
    page(`<pre>${' '.repeat(500_000)}`);
    page('<div>'.repeat(100_000));
    expect(performance.now() - at).toBeLessThan(3_000);
  });
});

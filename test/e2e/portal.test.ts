import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { BotApi } from './bot-api.ts';
import { launch, noBrowser, openPage } from './browser.ts';
import { FakeDiscord } from './discord-server.ts';
import { FakeHomeserver } from './homeserver.ts';
import { clockMock, providers } from './mock-llm.ts';
import { notBuilt, Px, until } from './px.ts';

const [openai] = providers;
const plugin = (host: string) => `
import { httpRequest } from 'px';
export const manifest = {
  name: 'weather', version: '1.2.0', description: 'Tells the weather.',
  egress: ['GET http://${host}/weather', 'GET https://stars.example.com/'],
};
export const tools = [{
  name: 'look', description: 'Looks at the sky.', parameters: { type: 'object', properties: {} },
  run: () => httpRequest('https://stars.example.com/').text(),
}];
`;

/** What is wider than a phone, and long where there is no place to break it. */
const wide = [
  '| Day | What | Where | With |\n|---|---|---|---|\n| Monday | the meeting that nobody wanted | Office | everybody |',
  `\`\`\`\nconst one = '${'line '.repeat(40)}';\n\`\`\``,
  'Donaudampfschifffahrtsgesellschaft'.repeat(4),
].join('\n\n');

/** What runs in the page, as text: it knows another world than this file. */
const openAll = `for (const one of document.querySelectorAll('details:not(.sure)')) one.open = true`;
const look = (rules: string[]) => `axe.run(document, { runOnly: ${JSON.stringify(rules)} })
  .then(({ violations }) => ({ violations, wide: document.documentElement.scrollWidth > innerWidth }))`;
interface Looked {
  wide: boolean;
  violations: { id: string; nodes: { html: string }[] }[];
}

/** The pages a person can be on, for what holds on every one. */
const places = [
  '/',
  '/?c=web/wide',
  '/conversations',
  '/conversations/web/wide',
  '/memory',
  '/memory?changes=1',
  '/memory?q=bicycle',
  '/memory/note?path=MEMORY.md',
  '/memory/note?path=wide.md',
  '/memory/edit?path=MEMORY.md',
  '/plugins',
  '/plugins/telegram',
  '/models',
  '/channels',
  '/channels?with=matrix',
  '/channels?with=discord',
  '/schedule',
  '/approvals',
  '/audit?all=1',
  '/settings',
  '/settings/channels',
  '/settings/file',
  '/status',
  '/docs',
];

describe.skipIf(notBuilt !== undefined || noBrowser !== undefined)('the portal in a browser', () => {
  let browser: Browser;
  let px: Px;
  let mock: Awaited<ReturnType<typeof clockMock>>;
  let telegram: BotApi;
  let discord: FakeDiscord;
  let matrix: FakeHomeserver;
  let page: Page;
  let trouble: string[];

  beforeAll(async () => {
    [browser, mock] = await Promise.all([launch(), clockMock()]);
    [telegram, discord, matrix] = [new BotApi(), new FakeDiscord(), new FakeHomeserver()];
    mock.on(
      { userMessage: 'slowly' },
      { content: 'One word after another, and then one more. '.repeat(200) },
      { latency: 30, chunkSize: 8 },
    );
    mock.on({ userMessage: 'be wide' }, { content: wide });
    px = new Px({
      config: { model: { default: openai.model }, providers: openai.config(mock.url) },
      env: { TEST_KEY: 'sk-test-1234567890' },
    });
    await px.serve();
    await px.installed();
    writeFileSync(join(px.home, 'memory/wide.md'), `# Wide\n\n${wide}\n`);
    await px.run('chat', '--conversation', 'web/wide', 'be wide');
    ({ page, trouble } = await openPage(browser, px.url));
  });
  afterAll(async () => {
    await browser?.close();
    await px?.[Symbol.asyncDispose]();
    for (const fake of [telegram, discord, matrix]) await fake?.[Symbol.asyncDispose]();
    await mock?.[Symbol.asyncDispose]();
  });

  const press = (name: string | RegExp) => page.getByRole('button', { name }).first().click();
  const sees = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const go = async (name: string) => {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  };
  const say = async (text: string) => {
    await page.getByLabel('Message').fill(text);
    await page.keyboard.press('Enter');
  };

  test('signs in by the link px printed, once', async () => {
    const link = /https?:\S+/.exec(px.ready)?.[0] ?? '';
    await page.goto(link);
    await page.getByLabel('Message').waitFor();
    expect(page.url()).toBe(`${px.url}/`);
    const { page: other } = await openPage(browser, px.url);
    await other.goto(link);
    await other.getByText('was used already').waitFor();
    await other.context().close();
  });

  test('chats: streams an answer, stops it, shows what a tool did', async () => {
    await say('what time is it?');
    await page.locator('.assistant').filter({ hasText: 'told me the time' }).waitFor();
    await page.locator('.step summary', { hasText: 'clock_now' }).click();
    await page.locator('.step pre').first().waitFor();

    await say('answer slowly');
    const answer = page.locator('.assistant').last();
    await answer.filter({ hasText: 'One word after another' }).waitFor();
    const early = (await answer.textContent())?.length ?? 0;
    await until('more words', async () => ((await answer.textContent())?.length ?? 0) > early + 20);
    await page.getByRole('button', { name: 'Stop the answer' }).click();
    await page.getByRole('button', { name: 'Stop the answer' }).waitFor({ state: 'hidden' });
    expect((await answer.textContent())?.length ?? 0).toBeLessThan(8_000);
  });

  test('chats with a file', async () => {
    await page.locator('input[type=file]').setInputFiles([
      { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('three apples and a pear') },
      { name: 'dot.gif', mimeType: 'image/gif', buffer: Buffer.from('R0lGODlhAQABAAAAACw=', 'base64') },
    ]);
    await page.getByRole('button', { name: 'Leave list.txt out' }).waitFor();
    await say('hello, read this');
    await page.locator('.assistant').filter({ hasText: 'Hello from the mock' }).waitFor();
    expect(JSON.stringify(mock.getRequests().at(-1)?.body)).toContain('three apples and a pear');
    const said = page.locator('.user').filter({ hasText: 'list.txt' });
    expect(await said.locator('img[alt="dot.gif"]').count()).toBe(1);
    await page.reload();
    await said.waitFor();
    expect(await said.locator('img[src^="data:image/gif;base64,R0lG"]').count()).toBe(1);
  });

  test('tests a model with a real call', async () => {
    mock.on({ userMessage: 'Are you there' }, { content: 'Yes.' });
    await go('Models');
    await press('Test this model');
    await sees(`${openai.model} works.`);
    await sees('“Yes.”');
    await page.getByLabel('Model', { exact: true }).fill('anthropic/claude-sonnet-4-5');
    await press('Test this model');
    await page.getByRole('alert').filter({ hasText: 'anthropic' }).waitFor();
  });

  test('edits px.yaml as text: a mistake is named and not saved, what is right counts at once', async () => {
    await page.goto(`${px.url}/settings/file`);
    const text = page.getByLabel('Text', { exact: true });
    const before = await text.inputValue();
    await text.fill(`${before}\nmodle: {}\n`);
    await press('Check and save');
    await page.getByRole('alert').filter({ hasText: 'did you mean "model"?' }).waitFor();
    await text.fill(`${before}\npolicy:\n  rules:\n    - { tool: clock_now, do: ask }\n`);
    await press('Check and save');
    await sees('It counts from now on.');
  });

  test('changes a setting in the form, and finds it in px.yaml', async () => {
    await go('Settings');
    await page.getByRole('link', { name: /^agent/ }).click();
    await page.getByLabel('max_steps').fill('300');
    await page.getByLabel('max_steps').evaluate((input) => input.removeAttribute('max'));
    await press('Save');
    await page.getByRole('alert').filter({ hasText: 'max_steps' }).waitFor();
    await page.getByLabel('max_steps').fill('30');
    await press('Save');
    await sees('It counts from now on.');
    expect((await px.run('config', 'get', 'agent.max_steps')).stdout.trim()).toBe('30');
  });

  test('asks before a tool runs: yes once, then no', async () => {
    await page.goto(px.url);
    await say('and what time is it now?');
    const question = page.locator('.ask').filter({ hasText: 'clock_now' });
    await question.getByRole('button', { name: 'Allow once' }).click();
    await sees('Allowed by');
    await page.locator('.assistant').filter({ hasText: 'told me the time' }).nth(1).waitFor();

    await page.getByText('Conversations', { exact: true }).last().click();
    await page.getByLabel('Name of a new conversation').fill('second');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'web/second' }).waitFor();
    await page.getByText('Conversations', { exact: true }).last().click();
    await page
      .getByRole('navigation', { name: 'Latest conversations' })
      .getByRole('link', { name: 'web/me' })
      .waitFor();
    await page.keyboard.press('Escape');
    await say('what time is it?');
    await page.locator('.ask').waitFor();
    // The same question, on the page that lists them.
    await page.goto(`${px.url}/approvals`);
    await press('Deny');
    await sees('Nothing waits for you.');
    await page.goto(`${px.url}/audit`);
    await sees('deny by');
  });

  /** What each messenger is set up with, and a person who writes there. */
  const platforms = {
    Telegram: () => ({
      server: telegram.url,
      token: telegram.token,
      wrong: '4711:NOBODYSTOKEN',
      say: (text: string) => telegram.say(text),
      texts: () => telegram.texts(),
    }),
    Matrix: () => ({
      server: matrix.url,
      token: matrix.token,
      wrong: 'syt_somebody-elses',
      say: (text: string) => matrix.say(text),
      texts: () => matrix.texts(),
    }),
    Discord: () => ({
      server: discord.api,
      token: discord.token,
      wrong: 'MTIzNDU2.discord.another-token',
      say: (text: string) => discord.say(text),
      texts: () => discord.texts(),
    }),
  };
  test.each(['Telegram', 'Matrix', 'Discord'] as const)(
    'sets %s up from the token to the first message, and takes the pairing back',
    async (label) => {
      const { server, token, wrong, say, texts } = platforms[label]();
      await go('Channels');
      await page.getByRole('navigation', { name: 'Messengers' }).getByRole('link', { name: label }).click();
      await page.getByRole('heading', { level: 2, name: label }).waitFor();
      const give = async (what: string) => {
        await page.getByLabel('Token').fill(what);
        const address = page.locator('input[name=server]');
        if (!(await address.isVisible())) await page.getByText('Another server').click();
        await address.fill(server);
        await press(/^Connect$|^Save and connect/);
      };
      await give('no');
      await page
        .getByRole('alert')
        .filter({ hasText: `no token of ${label}` })
        .waitFor();
      // What the platform itself says to a token: nothing is switched on, and the token is not kept.
      await give(wrong);
      await page
        .getByRole('alert')
        .filter({ hasText: /does not know this/ })
        .waitFor();
      await sees('Not connected yet.');
      await give(token);
      await sees('Connected: the token is right.');
      await page.locator('#pair').getByRole('link').filter({ hasText: /px/ }).waitFor();
      say('hello?');
      await page.getByRole('button', { name: 'it is me' }).click();
      await page
        .getByText(/^Revoke/)
        .first()
        .waitFor();
      say('hello again');
      await until('an answer', () => texts().find((text) => text.includes('Hello from the mock')));
      await page.getByRole('link', { name: `Read ${label.toLowerCase()}/` }).click();
      await page.locator('.user').filter({ hasText: 'hello again' }).waitFor();
      await page.goto(`${px.url}/channels?with=${label.toLowerCase()}`);
      await page
        .getByText(/^Revoke/)
        .first()
        .click();
      await press('Yes, revoke');
      await sees('Nobody but you, here.');
      expect(px.log + px.journal()).not.toContain(token);
    },
  );

  test('adds a plugin from a file: shows what it asks for, denies a part of it, and shows the denial live', async () => {
    const file = join(px.home, 'weather.ts');
    writeFileSync(file, plugin('weather.example.com'));
    await go('Plugins');
    await page.getByLabel('A file on this device').setInputFiles(file);
    await page.locator('form[enctype] button').click();
    await page.getByRole('heading', { name: 'Add weather?' }).waitFor();
    await sees('make GET requests to http://weather.example.com below /weather');
    await page.getByLabel(/stars\.example\.com/).uncheck();
    await press('Add it');
    await page.getByRole('heading', { level: 1, name: 'weather' }).waitFor();
    expect(await page.getByLabel(/weather\.example\.com/).isChecked()).toBe(true);
    expect(await page.getByLabel(/stars\.example\.com/).isChecked()).toBe(false);
    // The same name from elsewhere is another plugin: it gets what is ticked now.
    await go('Plugins');
    await page.getByLabel('A file on this device').setInputFiles(file);
    await page.locator('form[enctype] button').click();
    await sees('it is from elsewhere');
    expect(await page.getByLabel(/weather\.example\.com/).isEnabled()).toBe(true);
    expect(await page.getByLabel(/weather\.example\.com/).isChecked()).toBe(true);
    expect(await page.getByLabel(/stars\.example\.com/).isChecked()).toBe(false);
    await page.goto(`${px.url}/plugins/weather`);
    await page.locator('#feed[data-ready=yes]').waitFor({ state: 'attached' });
    await px.run('plugin', 'call', 'weather', 'call-tool', '["look","{}"]');
    await page
      .locator('#feed')
      .getByText(/denied/)
      .first()
      .waitFor();
    await page.getByLabel(/weather\.example\.com/).uncheck();
    await press('Save what it may do');
    await until('the grant to be gone', async () => !(await page.getByLabel(/weather\.example\.com/).isChecked()));
    await page.getByText('Remove', { exact: true }).click();
    await press('Yes, remove');
    await page.getByRole('heading', { level: 1, name: 'Plugins' }).waitFor();
    expect((await px.run('plugin', 'list')).stdout).not.toContain('weather');
  });

  test('edits a note, shows the change, and takes it back', async () => {
    await go('Memory');
    await page.getByRole('link', { name: 'MEMORY.md' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    const text = page.getByLabel('Markdown');
    const before = await text.inputValue();
    await text.fill(`${before}\nMy bicycle is called Gudrun.\n`);
    await press('Save');
    await sees('My bicycle is called Gudrun.');
    await page
      .getByRole('link', { name: /added|in, / })
      .first()
      .click();
    await page.locator('.diff .in', { hasText: 'Gudrun' }).waitFor();
    await press('Undo');
    await page.getByText('took change').first().waitFor();
    expect(await page.locator('main').textContent()).not.toContain('My bicycle is called Gudrun.');
    await page.goto(`${px.url}/memory?q=bicycle`);
  });

  test('plans something, runs it and drops it; finds the past and that nothing in it was altered', async () => {
    await go('Schedule');
    await page.getByLabel('What px is asked').fill('hello from the schedule');
    await page.getByLabel('Time', { exact: true }).fill('8 o’clock');
    await press('Plan it');
    await page.getByRole('alert').filter({ hasText: 'is no time of day' }).waitFor();
    await page.getByLabel('Time', { exact: true }).fill('08:00');
    await press('Plan it');
    await sees('cron 0 8 * * *');
    await press('Run now');
    await page.getByText('Remove', { exact: true }).click();
    await press('Yes, remove');
    await sees('Nothing is planned.');
    await go('Audit');
    await press('Check that nothing was altered');
    await sees('All well.');
    await go('Conversations');
    await page.getByLabel('Words').fill('slowly');
    await press('Search');
    await page.locator('.list a').first().click();
    await page.locator('.lines .here').waitFor();
  });

  test('draws what px is doing while one looks', async () => {
    await go('Status');
    const line = page.locator('[data-plot=cpu] .line');
    await until('a line', async () => ((await line.getAttribute('points')) ?? '').split(' ').length > 1);
    await page.locator('.chart .column').first().waitFor({ state: 'attached' });
  });

  test('goes everywhere by keyboard', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.waitForURL('**/memory');
    await page.keyboard.press('/');
    await page.keyboard.type('gudrun');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/memory?q=gudrun');
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement !== document.body')).toBe(true);
  });

  test('is first there in less than 100 ms', async () => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      await page.goto(px.url);
      times.push(await page.evaluate<number>(`performance.getEntriesByType('navigation')[0].responseEnd`));
    }
    expect(Math.min(...times)).toBeLessThan(100);
  });

  test('shows what a model says as text: no picture is fetched, no script runs, streaming or read again', async () => {
    const evil = [
      '<img src="https://evil.example/a.png" onerror="window.hacked=1">',
      '![pixel](https://evil.example/b.png)',
      '<script>window.hacked=2</script>',
      '[click](javascript:window.hacked=3)',
      '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007name\u001b]8;;\u0007',
    ].join('\n\n');
    mock.on({ userMessage: 'be evil' }, { content: evil });
    await page.goto(`${px.url}/?c=web/evil`);
    await say('be evil');
    const answer = page.locator('.assistant').last();
    await answer.filter({ hasText: 'red name' }).waitFor();
    for (const _ of ['while it is written', 'when it is read again']) {
      expect(await answer.locator('img, script, [onerror], a[href^="javascript"]').count()).toBe(0);
      expect(await answer.textContent()).not.toMatch(/[\u0000-\u0008\u001b]/);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      await page.reload();
    }
  });

  test('asked nobody else and broke none of its own rules on the way', () => {
    expect(trouble).toEqual([]);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    test(`has nothing that axe finds hard to use, in ${colorScheme === 'light' ? 'light on a phone' : 'dark on a desk'}`, async () => {
      const axe = await Bun.file(require.resolve('axe-core/axe.min.js')).text();
      const viewport = colorScheme === 'light' ? { width: 390, height: 844 } : { width: 1280, height: 860 };
      const state = await page.context().storageState();
      const { page: looked } = await openPage(browser, px.url, { colorScheme, viewport, storageState: state });
      // What is not colour is the same in both.
      const rules =
        colorScheme === 'light' ? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] : ['color-contrast'];
      const found: string[] = [];
      for (const path of places) {
        await looked.goto(px.url + path);
        await looked.evaluate(openAll);
        await looked.evaluate(axe);
        const { wide, violations } = await looked.evaluate<Looked>(look(rules));
        if (wide) found.push(`${path}: wider than the screen`);
        found.push(...violations.map(({ id, nodes }) => `${path}: ${id} ${nodes[0]?.html}`));
      }
      await looked.context().close();
      expect(found).toEqual([]);
    });

  test('signs out', async () => {
    const state = await page.context().storageState();
    const { page: other } = await openPage(browser, px.url, { storageState: state });
    await other.goto(`${px.url}/settings`);
    await other.getByRole('button', { name: 'Sign this browser out' }).click();
    await other.getByRole('heading', { name: 'Sign in to px' }).waitFor();
    await other.goto(`${px.url}/status`);
    await other.getByRole('heading', { name: 'Sign in to px' }).waitFor();
    await other.context().close();
  });

  test('can be read, and even used, without a script', async () => {
    const state = await page.context().storageState();
    const { page: bare } = await openPage(browser, px.url, { javaScriptEnabled: false, storageState: state });
    await bare.goto(`${px.url}/?c=web/bare`);
    await bare.getByLabel('Message').fill('hello without a script');
    await bare.getByRole('button', { name: 'Send' }).click();
    await bare.locator('.assistant').filter({ hasText: 'Hello from the mock' }).waitFor();
    for (const path of places) {
      await bare.goto(px.url + path);
      await bare.getByRole('heading', { level: 1 }).waitFor();
    }
    await bare.setViewportSize({ width: 390, height: 844 });
    await bare.getByRole('button', { name: 'Menu' }).click();
    await bare.getByRole('link', { name: 'Status' }).click();
    await bare.getByRole('heading', { level: 1, name: 'Status' }).waitFor();
    await bare.context().close();
  });
});

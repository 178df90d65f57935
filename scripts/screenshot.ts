/**
 * Writes docs/images/portal.png: the portal of a running dist/px after a short talk. Needs chromium (a Debian package).
 * With --all FOLDER: every page, on a desk and on a phone, in light and dark, to be looked at.
 * usage: bun scripts/screenshot.ts [--px FILE] [--dark] [--phone] [--out FILE] [--all FOLDER]
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { launch } from '../test/e2e/browser.ts';
import { binary, Px } from '../test/e2e/px.ts';

const { values } = parseArgs({
  options: {
    px: { type: 'string', default: binary },
    out: { type: 'string', default: resolve(import.meta.dir, '../docs/images/portal.png') },
    all: { type: 'string' },
    dark: { type: 'boolean', default: false },
    phone: { type: 'boolean', default: false },
  },
});

const desk = { width: 1180, height: 760 };
const phone = { width: 390, height: 844 };
const says: [text: string, answer: RegExp][] = [
  ['remember that my bicycle is called Gudrun', /I will remember that/],
  ['what did I say about my bicycle?', /From your memory/],
  ['what time is it in Tokyo?', /It is .* in Tokyo/],
];
const pages = [
  '/',
  '/conversations',
  '/conversations/web/me',
  '/memory',
  '/memory/note?path=MEMORY.md',
  '/memory/change/1',
  '/plugins',
  '/plugins/telegram',
  '/models',
  '/channels',
  '/channels?with=matrix',
  '/channels?with=discord',
  '/schedule',
  '/approvals',
  '/audit',
  '/settings',
  '/settings/agent',
  '/settings/file',
  '/status',
  '/docs/security',
];

await using px = await new Px({
  command: [resolve(values.px)],
  config: { policy: { rules: [{ tool: 'clock_now', conversation: 'web/asks', do: 'ask' }] } },
}).serve();
await px.installed();
const browser = await launch();
const link = (await px.run('portal')).stdout.trim();
try {
  const context = await browser.newContext({
    viewport: values.phone ? phone : desk,
    colorScheme: values.dark ? 'dark' : 'light',
  });
  const page = await context.newPage();
  await page.goto(link);
  for (const [text, answer] of says) {
    await page.locator('textarea').fill(text);
    await page.keyboard.press('Enter');
    await page.locator('.assistant').filter({ hasText: answer }).last().waitFor();
    await page.locator('#stop').waitFor({ state: 'hidden' });
  }
  mkdirSync(dirname(values.out), { recursive: true });
  if (values.all === undefined) {
    await page.screenshot({ path: values.out });
    console.log(values.out);
  } else {
    await page.goto(`${px.url}/?c=web/asks`);
    await page.locator('textarea').fill('what time is it in Lima?');
    await page.keyboard.press('Enter');
    await page.locator('.ask').waitFor();
    await px.run('schedule', 'add', 'cron 0 8 * * 1-5', 'What is in the news?');
    const storageState = await context.storageState();
    for (const [name, viewport] of Object.entries({ desk, phone }))
      for (const colorScheme of ['light', 'dark'] as const) {
        const other = await browser.newContext({ viewport, colorScheme, storageState });
        await every(await other.newPage(), join(values.all, `${name}-${colorScheme}`));
        await other.close();
      }
  }
} finally {
  await browser.close();
}

async function every(page: Page, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const path of [...pages, '/?c=web/asks']) {
    await page.goto(px.url + path);
    if (path === '/status') await page.waitForTimeout(9000);
    const name = path.replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'chat';
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }
  console.log(folder);
}

/**
 * Writes docs/images/portal.png: the portal of a running dist/px after a short talk. Needs chromium (a Debian package).
 * usage: bun scripts/screenshot.ts [--px FILE] [--dark] [--phone] [--out FILE]
 */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { binary, Px } from '../test/e2e/px.ts';

const { values } = parseArgs({
  options: {
    px: { type: 'string', default: binary },
    out: { type: 'string', default: resolve(import.meta.dir, '../docs/images/portal.png') },
    dark: { type: 'boolean', default: false },
    phone: { type: 'boolean', default: false },
  },
});

const says: [text: string, answer: RegExp][] = [
  ['remember that my bicycle is called Gudrun', /I will remember that/],
  ['what did I say about my bicycle?', /From your memory/],
  ['what time is it in Tokyo?', /It is .* in Tokyo/],
];

await using px = await new Px({ command: [resolve(values.px)] }).serve();
await px.installed();
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
try {
  const page = await browser.newPage({
    viewport: values.phone ? { width: 390, height: 800 } : { width: 1080, height: 700 },
    colorScheme: values.dark ? 'dark' : 'light',
  });
  await page.goto((await px.run('portal')).stdout.trim());
  for (const [text, answer] of says) {
    await page.locator('textarea').fill(text);
    await page.keyboard.press('Enter');
    await page.locator('.assistant').filter({ hasText: answer }).last().waitFor();
    await page.locator('#stop').waitFor({ state: 'hidden' });
  }
  mkdirSync(dirname(values.out), { recursive: true });
  await page.screenshot({ path: values.out });
  console.log(values.out);
} finally {
  await browser.close();
}

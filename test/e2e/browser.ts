import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why nothing can be looked at in a browser, or undefined. */
export const noBrowser = existsSync(executable) ? undefined : 'Chromium is not here: apt-get install chromium';

/** A browser that looks like a person's: it fetches nothing by itself. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  });
}

/** A page, and all that went wrong on it: errors of scripts, what the content security policy stopped, requests to elsewhere. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; trouble: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    // Chromium reports each answer of 4xx as an error; those a person is meant to see are on the page.
    if (message.type() === 'error' && !/status of 4(?:01|22)/.test(message.text()))
      trouble.push(`${page.url()}: ${message.text()}`);
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.origin !== new URL(url).origin && !/^(?:data|blob):$/.test(to.protocol)) trouble.push(`asked ${to.origin}`);
  });
  return { page, trouble };
}

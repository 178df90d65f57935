import { type Client, createClient } from '../client/client.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { PageContext } from '../gateway/gateway.ts';
import { asset } from './asset.ts';
import { chatPage } from './page/chat.tsx';
import { errorPage, signInPage } from './page/plain.tsx';
import { statusPage } from './page/status.tsx';

type Page = (client: Client, url: URL) => Promise<unknown>;

const pages: Record<string, Page> = { '/': chatPage, '/status': statusPage };

/** Answers a browser: the pages of a signed-in person, or the sign-in page; scripts and styles are for everybody. */
export async function servePortal(request: Request, context: PageContext): Promise<Response> {
  const url = new URL(request.url);
  const file = asset(url.pathname);
  if (file) return file;
  const page = Object.hasOwn(pages, url.pathname) ? pages[url.pathname] : undefined;
  try {
    if (!page) throw new PxError('not-found', 'There is no such page.', { hint: 'The chat is at the start page.' });
    if (!context.signedIn) return html(await signInPage(), 401);
    return html(await page(createClient({ url: url.origin, token: '', fetch: context.call }), url), 200);
  } catch (thrown) {
    const error = toPxError(thrown);
    return html(await errorPage(error), error.code === 'not-found' ? 404 : 500);
  }
}

function html(page: unknown, status: number): Response {
  return new Response(`<!doctype html>${String(page)}`, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
  });
}

import { createClient } from '../client/client.ts';
import { PxError, toPxError } from '../error/error.ts';
import type { PageContext } from '../gateway/gateway.ts';
import { asset } from './asset.ts';
import { emptyForm, readForm } from './form.ts';
import { packed } from './packed.ts';
import { errorPage, signInPage } from './page/plain.tsx';
import { findPage } from './pages.ts';
import { plain } from './ui/markdown.ts';
import type { Shown, Visit } from './visit.ts';

const foreignForm = new PxError('gateway.forbidden', 'This form is not one px made for you.', {
  hint: 'Open the page again and try once more.',
});

/**
 * Answers a browser: the pages of a signed-in person and what their forms send, or the sign-in page; scripts and styles are for
 * everybody. Pages work without a script; a script makes them live.
 */
export async function servePortal(request: Request, context: PageContext): Promise<Response> {
  const url = new URL(request.url);
  return asset(request, url) ?? packed(request, await answer(request, url, context));
}

async function answer(request: Request, url: URL, context: PageContext): Promise<Response> {
  try {
    if (!context.signedIn) return await stranger(request, url, context);
    const found = await findPage(url.pathname);
    if (!found)
      throw new PxError('not-found', 'There is no such page.', { hint: 'The menu beside the chat has all there are.' });
    const { page, params } = found;
    const client = createClient({ url: url.origin, token: '', fetch: context.call });
    const [status, { approvals }] = await Promise.all([client.status(), client.approvals.list()]);
    const visit: Visit = {
      client,
      url,
      params,
      status,
      waiting: approvals.length,
      formToken: context.formToken,
      signOut: context.signOut,
      form: emptyForm,
    };
    if (request.method !== 'POST') return await html(page.show(visit));
    const form = await readForm(request);
    if (!context.isFormToken(form.text('form'))) throw foreignForm;
    const sent = { ...visit, form };
    try {
      const name = form.text('do');
      const action = page.actions && Object.hasOwn(page.actions, name) ? page.actions[name] : undefined;
      if (!action) throw new PxError('gateway.bad-request', 'This page has no such button.');
      const done = await action(sent);
      if (done instanceof Response) return done;
      if (typeof done !== 'string') return await html(done);
      return new Response(null, { status: 303, headers: { location: done } });
    } catch (thrown) {
      // What was set may show in the status already, although the rest failed.
      return await html(page.show({ ...sent, status: await client.status(), problem: toPxError(thrown) }), 422);
    }
  } catch (thrown) {
    const error = toPxError(thrown);
    return await html(errorPage(error, context.signedIn), statuses[error.code] ?? 500);
  }
}

const statuses: Partial<Record<string, number>> = {
  'not-found': 404,
  'plugin.unknown': 404,
  'memory.path': 404,
  'gateway.forbidden': 403,
  'gateway.bad-request': 400,
  'gateway.media-type': 415,
  'too-large': 413,
};

/** Somebody who is not signed in: may spend a code, by the script or by hand, and see nothing. */
async function stranger(request: Request, url: URL, context: PageContext): Promise<Response> {
  if (request.method !== 'POST') return html(signInPage(), 401);
  if (url.pathname !== '/sign-in') return html(signInPage(), 401);
  const code = (await readForm(request)).text('code').trim().replace(/^.*#/, '');
  const signedIn = await context.call(
    new Request(new URL('/api/session', url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: code === '' ? '-' : code }),
    }),
  );
  const cookie = signedIn.headers.get('set-cookie');
  if (cookie === null) return html(signInPage('This sign-in link was used already, or is too old.'), 401);
  return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': cookie } });
}

async function html(page: Shown | Promise<Shown>, status = 200): Promise<Response> {
  // Whatever is on the page, nothing on it steers a terminal it is copied to or turns the order of its letters.
  return new Response(`<!doctype html>${plain(await (await page).toString())}`, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
  });
}

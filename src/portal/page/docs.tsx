/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { markdown } from '../ui/markdown.ts';
import type { Page, Visit } from '../visit.ts';
import { type Doc, docs } from './docs-text.ts';

const all = docs.flatMap(([, some]) => some);

/** The documentation px carries: it fits this very px, and needs no network. */
function show(visit: Visit) {
  const slug = Object.values(visit.params).join('/') || 'quickstart';
  const doc = all.find((one) => one.slug === slug);
  if (!doc) throw new PxError('not-found', 'There is no such page.', { hint: 'Docs lists them.' });
  return (
    <Frame visit={visit} slug={slug}>
      <article class="text doc">{markdown(body(doc), (href) => linkFrom(doc, href))}</article>
    </Frame>
  );
}

function Frame({ visit, slug, children }: { visit: Visit; slug: string; children?: Child }) {
  const doc = all.find((one) => one.slug === slug);
  return (
    <Layout visit={visit} title={doc ? titleOf(doc) : 'HTTP API'} size="wide">
      <a class="button narrow" href="#pages">
        All pages
      </a>
      <div class="split">
        <nav class="side" id="pages" aria-label="Documentation">
          {docs.map(([title, some]) => (
            <>
              <h2>{title}</h2>
              <ul>
                {some.map((one) => (
                  <li>
                    <a href={`/docs/${one.slug}`} aria-current={one.slug === slug ? 'page' : undefined}>
                      {titleOf(one)}
                    </a>
                  </li>
                ))}
                {title === 'Look up' && (
                  <li>
                    <a href="/docs/http" aria-current={slug === 'http' ? 'page' : undefined}>
                      HTTP API
                    </a>
                  </li>
                )}
              </ul>
            </>
          ))}
        </nav>
        <div>{children}</div>
      </div>
    </Layout>
  );
}

const titleOf = ({ text, slug, title }: Doc): string =>
  title ?? /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? slug;

/** The title is the page's own. */
const body = ({ text }: Doc): string => text.replace(/^# .+\n/, '');

/** Links between pages lead to pages; what is only in the repository is no link here. */
function linkFrom(doc: Doc, href: string): string | undefined {
  if (/^https?:\/\//i.test(href) || href.startsWith('#')) return href;
  const { pathname, hash } = new URL(href, `http://docs/${doc.path}`);
  if (pathname.endsWith('/openapi.json')) return '/docs/http';
  const target = all.find((one) => `/${one.path}` === pathname || `/docs/${one.slug}.md` === pathname);
  return target && `/docs/${target.slug}${hash}`;
}

/** Every endpoint, from the description px serves of itself. */
async function http(visit: Visit) {
  const { paths } = await visit.client.openApi();
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );
  return (
    <Frame visit={visit} slug="http">
      <div class="stack">
        <p>
          The whole description, with every field, is at <a href="/openapi.json">/openapi.json</a>. A request carries
          the token of <code>state/token</code> as <code>Authorization: Bearer</code>.{' '}
          <a href="/docs/gateway">More about the gateway</a>
        </p>
        <ul class="rows">
          {rows.map((row) => (
            <li>
              <span class="grow">
                <code>{`${row.method} ${row.path}`}</code>
                <br />
                {row.summary}
                {row.parameters.length > 0 && (
                  <ul class="plain small">
                    {row.parameters.map((parameter) => (
                      <li>
                        <code>{parameter.name}</code> {parameter.required ? '' : '(optional) '}
                        <span class="soft">{parameter.description}</span>
                      </li>
                    ))}
                  </ul>
                )}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </Frame>
  );
}

export const pages: Page[] = [
  { path: '/docs', show },
  { path: '/docs/http', show: http },
  { path: '/docs/:page', show },
  { path: '/docs/:folder/:page', show },
];

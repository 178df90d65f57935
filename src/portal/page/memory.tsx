/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Icon } from '../ui/icon.tsx';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, count, Empty, Field, Form } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { noteHref } from './address.ts';
import { Changes, change, undo } from './changes.tsx';
import { edit, note, save } from './note.tsx';

/** The notes: a tree to browse, a search over everything, what px changed. */
async function show(visit: Visit) {
  const { client, url } = visit;
  const words = (url.searchParams.get('q') ?? '').trim();
  const conversation = url.searchParams.get('conversation') ?? '';
  const view = url.searchParams.has('changes') ? 'changes' : words === '' ? 'notes' : 'search';
  return (
    <Layout
      visit={visit}
      title="Memory"
      about="What px knows, in Markdown files you can read and change. Every change can be taken back."
    >
      <search>
        <form class="row" aria-label="Search the notes">
          <input type="search" name="q" value={words} placeholder="Search everything" aria-label="Words" />
          <button type="submit">
            <Icon name="search" /> Search
          </button>
        </form>
      </search>
      <nav class="tabs" aria-label="Views">
        <a href="/memory" aria-current={view === 'notes' ? 'page' : undefined}>
          Notes
        </a>
        <a href="/memory?changes=1" aria-current={view === 'changes' ? 'page' : undefined}>
          Changes
        </a>
      </nav>
      {view === 'search' && (await results(visit, words))}
      {view === 'changes' && (
        <Changes
          visit={visit}
          changes={await client.changes(conversation === '' ? { limit: 200 } : { conversation, limit: 200 })}
        />
      )}
      {view === 'notes' && (await folder(visit))}
    </Layout>
  );
}

async function results({ client }: Visit, words: string) {
  const hits = await client.search(words, { limit: 50 });
  if (hits.length === 0) return <Empty>Nothing about “{words}”.</Empty>;
  return (
    <ul class="list">
      {hits.map((hit) => (
        <li>
          <a href={`${noteHref(hit.path)}&line=${hit.line}#L${hit.line}`}>
            <strong>{plain(hit.heading)}</strong>
            <span class="soft small">
              {hit.path}, line {hit.line}
            </span>
            <span class="snippet">{plain(hit.snippet)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Folders px writes by itself. */
const own = ['journal', 'ledger', 'log'];
/** Most files of one folder on a page. */
const mostFiles = 500;

/** One folder: what is right below it, folders first. */
async function folder(visit: Visit) {
  const at = (visit.url.searchParams.get('in') ?? '').replace(/^\/+|\/+$/g, '');
  const isOwn = own.includes(at.split('/')[0] ?? '');
  const paths = await visit.client.notes(at === '' ? undefined : at);
  const prefix = at === '' ? '' : `${at}/`;
  const folders = new Map<string, number>();
  const files: string[] = [];
  for (const path of paths) {
    const [name = '', ...more] = path.slice(prefix.length).split('/');
    if (more.length === 0) files.push(path);
    else folders.set(name, (folders.get(name) ?? 0) + 1);
  }
  // What px wrote is looked for from its end.
  if (isOwn) files.reverse();
  return (
    <>
      {at !== '' && (
        <nav class="row" aria-label="Folders above">
          <a href="/memory">memory</a>
          {at.split('/').map((name, i, all) => (
            <>
              <span class="soft">/</span>
              <a href={folderHref(all.slice(0, i + 1).join('/'))}>{name}</a>
            </>
          ))}
        </nav>
      )}
      {paths.length === 0 && <Empty>Nothing is here.</Empty>}
      <ul class="list">
        {[...folders].map(([name, n]) => (
          <li>
            <a href={folderHref(prefix + name)}>
              <span class="row">
                <Icon name="folder" />
                {name}
              </span>
              <span class="soft small">{count(n, 'file')}</span>
            </a>
          </li>
        ))}
        {files.slice(0, mostFiles).map((path) => (
          <li>
            <a href={noteHref(path)}>
              <span class="row">
                <Icon name="file" />
                {path.slice(prefix.length)}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {files.length > mostFiles && (
        <p class="soft">
          {mostFiles} of {count(files.length, 'file')}: search finds the others.
        </p>
      )}
      {at === '' && (
        <p class="soft small">
          px writes these itself:{' '}
          {own.map((name, i) => (
            <>
              {i > 0 && ', '}
              <a href={folderHref(name)}>{name}</a>
            </>
          ))}
        </p>
      )}
      {!isOwn && (
        <details class="card" open={visit.problem !== undefined}>
          <summary>New note</summary>
          <Form visit={visit} class="stack">
            <Field
              name="path"
              label="File"
              value={visit.form.has('path') ? visit.form.text('path') : prefix}
              placeholder="garden.md"
              required
              help="Below memory/, ending in .md."
            />
            <Field name="text" label="Text" rows={6} required value={visit.form.text('text')} />
            <div>
              <Button do="make" kind="main">
                Write it
              </Button>
            </div>
          </Form>
        </details>
      )}
    </>
  );
}

const folderHref = (path: string) => `/memory?in=${encodeURIComponent(path)}`;

export const pages: Page[] = [
  {
    path: '/memory',
    show,
    actions: {
      async make({ client, form }) {
        const name = form
          .text('path')
          .trim()
          .replace(/^memory\//, '');
        const path = /\.md$/i.test(name) ? name : `${name}.md`;
        if ((await client.notes()).includes(path))
          throw new PxError('conflict', `${path} is there already.`, { hint: 'Open it to change it.' });
        await client.writeNote(path, `${form.text('text').trimEnd()}\n`, 'replace');
        return noteHref(path);
      },
      undo,
    },
  },
  { path: '/memory/note', show: note },
  { path: '/memory/edit', show: edit, actions: { save } },
  { path: '/memory/change/:n', show: change, actions: { undo } },
];

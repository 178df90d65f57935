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
      {view === 'notes' && (await tree(visit))}
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

/** Folders px writes by itself come last and closed. */
const own = ['journal', 'ledger', 'log'];

async function tree(visit: Visit) {
  const folders = new Map<string, string[]>();
  for (const path of await visit.client.notes()) {
    const slash = path.indexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  const names = [...folders.keys()].sort((a, b) => order(a) - order(b) || a.localeCompare(b));
  return (
    <>
      {names.map((name) => {
        const paths = folders.get(name) ?? [];
        const shown = own.includes(name) ? paths.toReversed().slice(0, 200) : paths;
        const list = (
          <ul class="list">
            {shown.map((path) => (
              <li>
                <a href={noteHref(path)}>
                  <span class="row">
                    <Icon name="file" />
                    {name === '' ? path : path.slice(name.length + 1)}
                  </span>
                </a>
              </li>
            ))}
          </ul>
        );
        if (name === '') return list;
        return (
          <details open={!own.includes(name)}>
            <summary class="folder">
              <Icon name="folder" /> {name} <span class="soft small">{count(paths.length, 'file')}</span>
            </summary>
            {list}
          </details>
        );
      })}
      <details class="card">
        <summary>New note</summary>
        <Form visit={visit} class="stack">
          <Field name="path" label="File" placeholder="garden.md" required help="Below memory/, ending in .md." />
          <Field name="text" label="Text" rows={6} required />
          <div>
            <Button do="make" kind="main">
              Write it
            </Button>
          </div>
        </Form>
      </details>
    </>
  );
}

const order = (name: string) => (name === '' ? 0 : own.includes(name) ? 2 : 1);

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

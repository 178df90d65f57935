/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { markdown, plain } from '../ui/markdown.ts';
import { Button, Card, count, Field, Form } from '../ui/parts.tsx';
import type { Visit } from '../visit.ts';
import { noteHref } from './address.ts';
import { Changes } from './changes.tsx';

const mostLines = 5000;

const pathOf = ({ url }: Visit): string => (url.searchParams.get('path') ?? '').replace(/^memory\//, '');

/** px writes these itself: they can be read here, and nothing else. */
const isOwn = (path: string): boolean => /^(?:journal|ledger|log)\/|^people\.md$|^approvals\.md$/.test(path);

/** One note: as it reads, or line by line when a line is asked for. */
export async function note(visit: Visit) {
  const path = pathOf(visit);
  const { text, totalLines } = await visit.client.note(path, 1, mostLines);
  const line = Number(visit.url.searchParams.get('line') ?? 0);
  const raw = line > 0 || visit.url.searchParams.has('raw') || !/\.md$/i.test(path);
  const changes = isOwn(path) ? [] : await visit.client.changes({ path, limit: 20 });
  return (
    <Layout visit={visit} title={path} up={{ href: '/memory', name: 'Memory' }}>
      <p class="row">
        {!isOwn(path) && (
          <a class="button main" href={`/memory/edit?path=${encodeURIComponent(path)}`}>
            Edit
          </a>
        )}
        <a class="button" href={raw ? noteHref(path) : `${noteHref(path)}&raw`}>
          {raw ? 'As it reads' : 'As it is written'}
        </a>
        <span class="soft small right">{count(totalLines, 'line')}</span>
      </p>
      <section class="card" aria-label={path}>
        {raw ? (
          <ol class="lines" tabindex={0}>
            {text.split('\n').map((one, i) => (
              <li id={`L${i + 1}`} class={i + 1 === line ? 'here' : undefined}>
                {plain(one)}
              </li>
            ))}
          </ol>
        ) : (
          <div class="text">{markdown(readable(text), (href) => linkFrom(path, href))}</div>
        )}
        {totalLines > mostLines && <p class="soft">The first {mostLines} lines.</p>}
      </section>
      {changes.length > 0 && (
        <Card title="What changed">
          <Changes visit={visit} changes={changes} bare />
        </Card>
      )}
    </Layout>
  );
}

/** Comments are px's marks for itself (the hashes of a journal); that a text came from outside is for people too. */
const readable = (text: string) =>
  text.replace(/<!-- from outside: (.*?) -->/g, '(from outside: $1)').replace(/<!--[\s\S]*?-->/g, '');

/** Links between notes stay within memory/. */
function linkFrom(path: string, href: string): string | undefined {
  if (/^https?:\/\/[^\s/]/i.test(href)) return href;
  if (/^[a-z][\w+.-]*:|^\/\//i.test(href)) return undefined;
  const target = new URL(href, `http://memory/${path}`);
  return noteHref(decodeURIComponent(target.pathname.slice(1)));
}

/** The text of a note, to be changed. */
export async function edit(visit: Visit) {
  const path = pathOf(visit);
  const { text, totalLines } = await visit.client.note(path, 1, 100_000);
  if (isOwn(path))
    throw new PxError('memory.path', `${path} is written by px itself.`, {
      hint: 'It can be read, not changed, here.',
    });
  const given = visit.form.has('text') ? visit.form.text('text') : text;
  return (
    <Layout visit={visit} title={`Edit ${path}`} up={{ href: noteHref(path), name: path }}>
      <Form visit={visit} class="stack">
        <input type="hidden" name="was" value={text} />
        <Field name="text" label="Markdown" value={given} rows={Math.min(30, Math.max(10, totalLines + 2))} mono />
        <div class="row">
          <Button do="save" kind="main">
            Save
          </Button>
          <a class="button" href={noteHref(path)}>
            Leave it as it was
          </a>
        </div>
      </Form>
    </Layout>
  );
}

/** Writes a note, unless somebody else wrote in it since it was opened. */
export async function save(visit: Visit): Promise<string> {
  const path = pathOf(visit);
  const { text } = await visit.client.note(path, 1, 100_000);
  // A page shows no control characters, so a form brings none back.
  if (plain(text) !== visit.form.text('was'))
    throw new PxError('conflict', `${path} was changed since you opened it; nothing was saved.`, {
      hint: 'Your text is below. Copy what is new in it, open the note again, and put it in.',
    });
  await visit.client.writeNote(path, `${visit.form.text('text').replace(/\n+$/, '')}\n`, 'replace');
  return noteHref(path);
}

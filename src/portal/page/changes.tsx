/** @jsxImportSource hono/jsx */
import { bothSides, type Client } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { Diff } from '../ui/diff.tsx';
import { Icon } from '../ui/icon.tsx';
import { Layout } from '../ui/layout.tsx';
import { Button, Empty, Form, Time } from '../ui/parts.tsx';
import type { Visit } from '../visit.ts';
import { noteHref } from './address.ts';

type Change = Awaited<ReturnType<Client['changes']>>[number];

/** What px and you changed in notes, latest first, each with a way back. */
export function Changes({ visit, changes, bare = false }: { visit: Visit; changes: Change[]; bare?: boolean }) {
  if (changes.length === 0) return <Empty>Nothing was changed yet.</Empty>;
  const rows = (
    <ul class="rows">
      {changes.map((one) => (
        <li>
          <span class="grow">
            <a href={`/memory/change/${one.n}`}>{words(one)}</a> {!bare && <>in {one.path}</>}
            <br />
            <span class="soft small">
              <Time at={one.at} /> by {one.by ? `px in ${one.by.conversation}` : 'you'}
              {one.undoneBy !== undefined && ', taken back since'}
            </span>
          </span>
          <UndoButton visit={visit} change={one} />
        </li>
      ))}
    </ul>
  );
  return bare ? rows : <section class="card">{rows}</section>;
}

function UndoButton({ visit, change }: { visit: Visit; change: Change }) {
  if (change.undoneBy !== undefined) return null;
  return (
    <Form visit={visit} action={`/memory/change/${change.n}`} label={`Undo change ${change.n}`}>
      <Button do="undo">
        <Icon name="undo" /> Undo
      </Button>
    </Form>
  );
}

function words({ kind, added, removed, undoes }: Change): string {
  if (kind === 'undo') return `took change ${undoes} back`;
  if (kind === 'append') return `added ${added} ${added === 1 ? 'line' : 'lines'}`;
  return `${added} in, ${removed} out`;
}

/** One change as lines that came and went. */
export async function change(visit: Visit) {
  const n = numberOf(visit);
  const { path, diff } = await visit.client.diff(n);
  const one = (await visit.client.changes({ path, limit: 1000 })).find((entry) => entry.n === n);
  const merged = bothSides(visit.problem);
  return (
    <Layout visit={visit} title={`Change ${n}`} up={{ href: '/memory?changes=1', name: 'Changes' }}>
      <div class="row">
        <a href={noteHref(path)}>{path}</a>
        {one && (
          <span class="soft">
            <Time at={one.at} /> by {one.by ? `px in ${one.by.conversation}` : 'you'}
            {one.undoneBy !== undefined && `, taken back by change ${one.undoneBy}`}
          </span>
        )}
        <span class="right">{one && <UndoButton visit={visit} change={one} />}</span>
      </div>
      <Diff text={diff} />
      {merged !== undefined && (
        <section class="card">
          <h2>Both sides</h2>
          <pre tabindex={0}>{merged}</pre>
          <p>
            <a href={`/memory/edit?path=${encodeURIComponent(path)}`}>Edit the note by hand</a>
          </p>
        </section>
      )}
    </Layout>
  );
}

/** Takes a change back and shows the note. */
export async function undo(visit: Visit): Promise<string> {
  const done = await visit.client.undo(numberOf(visit));
  return noteHref(done.path);
}

function numberOf({ params }: Visit): number {
  const n = Number(params['n']);
  if (!Number.isSafeInteger(n) || n < 1) throw new PxError('not-found', 'There is no such change.');
  return n;
}

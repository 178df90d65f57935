/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, count, Empty, Form, Notice } from '../ui/parts.tsx';
import type { Page, Shown, Visit } from '../visit.ts';
import { noteHref, readHref } from './address.ts';

type Verdict = Awaited<ReturnType<Client['verifyAudit']>>;
type Line = Awaited<ReturnType<Client['audit']>>['lines'][number];

/** What px did, latest first, from the journals; and whether they are as px wrote them. */
async function show(visit: Visit, verdict?: Verdict) {
  const ask = (name: string) => (visit.url.searchParams.get(name) ?? '').trim();
  const [day, tool, conversation, by, all] = ['day', 'tool', 'conversation', 'by', 'all'].map(ask);
  const { lines, more } = await visit.client.audit({
    limit: 300,
    // Everything there ever was is a lot to read: the last week, unless something else is asked for.
    ...(day ? { day } : conversation ? {} : { day: 'last 7 days' }),
    ...(tool ? { tool } : {}),
    ...(conversation ? { conversation } : {}),
    ...(by ? { by } : {}),
    ...(all ? { all: 'yes' as const } : {}),
  });
  const days = Map.groupBy(lines.toReversed(), (line) => new Date(line.at).toLocaleDateString('sv'));
  return (
    <Layout
      visit={visit}
      title="Audit"
      about="Every tool call, approval, change of model and failure, read from the journals, which are chained by hashes."
    >
      {verdict && <Verified verdict={verdict} />}
      <search>
        <form class="row end" aria-label="What to show">
          <Text name="day" label="When" value={day} placeholder="last 7 days" />
          <Text name="tool" label="Tool" value={tool} placeholder="web*" />
          <Text name="conversation" label="Conversation" value={conversation} placeholder="telegram/1" />
          <Text name="by" label="Person" value={by} placeholder="Ada" />
          <label class="check">
            <input type="checkbox" name="all" value="1" checked={all !== ''} /> What was said too
          </label>
          <button type="submit">Show</button>
        </form>
      </search>
      <Form visit={visit}>
        <Button do="verify">Check that nothing was altered</Button>
      </Form>
      {lines.length === 0 && <Empty>Nothing of that kind.</Empty>}
      {[...days].map(([date, ofDay]) => (
        <section class="card" aria-label={date}>
          <h2>{date}</h2>
          <ol class="rows timeline">
            {ofDay.map((line) => (
              <LineItem line={line} />
            ))}
          </ol>
        </section>
      ))}
      {more && <p class="soft">The latest 300; say when to see others.</p>}
    </Layout>
  );
}

function LineItem({ line }: { line: Line }) {
  const ended = line.ms === undefined ? '' : ` · ${line.ok ? '' : 'failed after '}${Math.round(line.ms)} ms`;
  return (
    <li>
      <time class="soft small" datetime={new Date(line.at).toISOString()}>
        {new Date(line.at).toTimeString().slice(0, 8)}
      </time>
      <span class="grow">
        <strong class={line.ok === false ? 'failed' : undefined}>{plain(line.what)}</strong>{' '}
        {line.approval && (
          <span class="tag">
            {line.approval.decision} by {plain(line.approval.by)}
          </span>
        )}
        <br />
        <span class="small detail">{plain(line.detail)}</span>
        <br />
        <span class="soft small">
          <a href={`${noteHref(line.path)}&line=${line.line}#L${line.line}`}>journal</a> ·{' '}
          <a href={readHref(line.conversation)}>{line.conversation}</a>
          {line.asked !== '' && ` · asked by ${plain(line.asked)}`}
          {ended}
        </span>
      </span>
    </li>
  );
}

function Text(props: { name: string; label: string; value: string | undefined; placeholder: string }) {
  return (
    <div class="field">
      <label for={`q-${props.name}`}>{props.label}</label>
      <input id={`q-${props.name}`} name={props.name} value={props.value} placeholder={props.placeholder} />
    </div>
  );
}

function Verified({ verdict }: { verdict: Verdict }) {
  if (verdict.problems.length === 0)
    return (
      <Notice kind="good">
        <strong>All well.</strong>{' '}
        {`${count(verdict.entries, 'entry', 'entries')} in ${count(verdict.files, 'file')} of ${count(verdict.conversations, 'conversation')}: as px wrote them.`}
      </Notice>
    );
  return (
    <div class="notice bad" role="alert">
      <strong>The journal is not as px wrote it.</strong>
      <ul class="plain">
        {verdict.problems.map(({ path, line, reason }) => (
          <li>
            <a href={`${noteHref(path)}&line=${line}#L${line}`}>
              {path}, line {line}
            </a>
            : {reason}
          </li>
        ))}
      </ul>
    </div>
  );
}

export const pages: Page[] = [
  {
    path: '/audit',
    show: (visit) => show(visit),
    actions: {
      verify: async (visit): Promise<Shown> => show(visit, await visit.client.verifyAudit()),
    },
  },
];

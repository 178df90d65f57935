/** @jsxImportSource hono/jsx */
import { Icon } from '../ui/icon.tsx';
import { Layout } from '../ui/layout.tsx';
import { plain, unmarked } from '../ui/markdown.ts';
import { count, Empty, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { conversationOf, noteHref, readHref } from './address.ts';
import { Entries } from './entries.tsx';

const readEntries = 400;
const mostEntries = 1000;
/** Of how many conversations the last words are shown. */
const mostLast = 20;

/** Every conversation, or what was said about something. */
async function list(visit: Visit) {
  const words = (visit.url.searchParams.get('q') ?? '').trim();
  const when = (visit.url.searchParams.get('when') ?? '').trim();
  return (
    <Layout visit={visit} title="Conversations" about="Everything that was said, on every channel.">
      <search>
        <form class="row" aria-label="Search the conversations">
          <input type="search" name="q" value={words} placeholder="Search what was said" aria-label="Words" />
          <select name="when" aria-label="When">
            {whens.map(([value, text]) => (
              <option value={value} selected={value === when}>
                {text}
              </option>
            ))}
          </select>
          <button type="submit">
            <Icon name="search" /> Search
          </button>
        </form>
      </search>
      {words === '' ? await all(visit) : await found(visit, words, when)}
    </Layout>
  );
}

const whens: [string, string][] = [
  ['', 'any time'],
  ['today', 'today'],
  ['yesterday', 'yesterday'],
  ['last 7 days', 'last 7 days'],
  ['last 30 days', 'last 30 days'],
];

async function all({ client }: Visit) {
  const conversations = await client.conversations();
  if (conversations.length === 0)
    return (
      <Empty>
        <p>Nothing was said yet.</p>
        <p>
          <a href="/">Say something</a>, or <a href="/channels">connect Telegram</a>.
        </p>
      </Empty>
    );
  const last = await Promise.all(conversations.slice(0, mostLast).map((one) => lastWords(client, one.conversation)));
  return (
    <ul class="list">
      {conversations.map((one, i) => (
        <li>
          <a href={readHref(one.conversation)}>
            <strong>{one.conversation}</strong>
            <span class="soft small">
              <Time at={one.lastAt} />
            </span>
            <span class="snippet last">{last[i] || count(one.entries, 'entry', 'entries')}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The last thing that was said, on one line and without the marks of Markdown. */
async function lastWords(client: Visit['client'], id: string): Promise<string> {
  const { entries } = await client.conversation(conversationOf(id), 8);
  const said = entries.findLast((entry) => entry.kind === 'user' || entry.kind === 'assistant')?.['text'];
  return typeof said === 'string' ? unmarked(said).slice(0, 160) : '';
}

async function found({ client }: Visit, words: string, when: string) {
  const hits = await client.search(words, { under: 'journal', limit: 50, ...(when === '' ? {} : { when }) });
  if (hits.length === 0) return <Empty>Nothing was said about “{words}”.</Empty>;
  return (
    <>
      <p class="soft">{count(hits.length, 'passage')}, the best first.</p>
      <ul class="list">
        {hits.map((hit) => (
          <li>
            <a href={`${noteHref(hit.path)}&line=${hit.line}#L${hit.line}`}>
              <strong>{plain(hit.heading)}</strong>
              <span class="soft small">{hit.path.replace(/^journal\//, '')}</span>
              <span class="snippet">{plain(hit.snippet)}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

/** One conversation, to read. */
async function read(visit: Visit) {
  const id = conversationOf(`${visit.params['channel']}/${visit.params['chat']}`);
  const whole = visit.url.searchParams.get('all') !== null;
  const { entries, model } = await visit.client.conversation(id, whole ? mostEntries : readEntries, 'yes');
  return (
    <Layout
      visit={visit}
      title={id}
      {...(model === null ? {} : { about: `Answered by ${model}.` })}
      up={{ href: '/conversations', name: 'Conversations' }}
    >
      <p class="row">
        <a class="button main" href={`/?c=${encodeURIComponent(id)}`}>
          Go on with it
        </a>
        <a class="button" href={`/audit?conversation=${encodeURIComponent(id)}`}>
          What px did in it
        </a>
        <a class="button" href={`/memory?changes=1&conversation=${encodeURIComponent(id)}`}>
          What it wrote down
        </a>
      </p>
      {entries.length === readEntries && !whole && (
        <p class="soft">
          The latest {readEntries} entries. <a href="?all">Show more</a>
        </p>
      )}
      {entries.length === 0 ? (
        <Empty>Nothing was said in this conversation.</Empty>
      ) : (
        <ol class="log read">
          <Entries entries={entries} times />
        </ol>
      )}
    </Layout>
  );
}

export const pages: Page[] = [
  { path: '/conversations', show: list },
  { path: '/conversations/:channel/:chat', show: read },
];

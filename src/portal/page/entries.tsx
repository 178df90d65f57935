/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { markdown, plain } from '../ui/markdown.ts';
import { Time } from '../ui/parts.tsx';

export type Entry = Awaited<ReturnType<Client['conversation']>>['entries'][number];

/** What was said and done, in order, as list items. `times`: each says when. `asking`: calls whose question is shown elsewhere. */
export function Entries(props: { entries: Entry[]; times?: boolean; asking?: string[] }) {
  const { times = false, asking = [] } = props;
  const entries = props.entries.filter(({ data }) => {
    const { mark, call } = record(data);
    return mark !== 'px:asked' || !asking.some((one) => one === call);
  });
  const results = new Map(
    entries.filter((e) => e.kind === 'tool-result').map((e) => [field(record(e['result']), 'callId'), e]),
  );
  return (
    <>
      {entries.map((entry) => (
        <EntryItem entry={entry} results={results} times={times} />
      ))}
    </>
  );
}

function EntryItem({ entry, results, times }: { entry: Entry; results: Map<string, Entry>; times: boolean }) {
  const text = plain(field(entry, 'text'));
  const at = times && <Time at={entry.at} />;
  switch (entry.kind) {
    case 'user':
      return (
        <li class="user">
          <div>{text}</div>
          <Attachments entry={entry} />
          {at}
        </li>
      );
    case 'assistant':
      return (
        <li class="assistant">
          <div class="text">{markdown(text)}</div>
          {at}
        </li>
      );
    case 'thinking':
      return <Folded title="thought" parts={[text]} />;
    case 'tool-call': {
      const call = record(entry['call']);
      const answer = results.get(field(call, 'id'));
      const result = record(answer?.['result']);
      const failed = result['isError'] === true;
      const ms = typeof answer?.['ms'] === 'number' ? ` · ${Math.round(answer['ms'])} ms` : '';
      const parts = [JSON.stringify(call['args'] ?? {}, null, 2), ...(answer ? [resultText(result)] : [])];
      return <Folded title={`${field(call, 'name')}${failed ? ' — failed' : ms}`} parts={parts} failed={failed} />;
    }
    // Shown with its call.
    case 'tool-result':
      return null;
    case 'turn-end': {
      const error = record(entry['error']);
      return entry['error'] === undefined ? null : <li class="note bad">{plain(field(error, 'message'))}</li>;
    }
    case 'model':
      return <li class="note">{`${field(entry, 'model')} answers from here on`}</li>;
    default:
      return <li class="note">{text}</li>;
  }
}

/** Pictures are shown by the bytes px told: nothing is fetched for one. Everything else is named. */
function Attachments({ entry }: { entry: Entry }) {
  const given = Array.isArray(entry['attachments']) ? entry['attachments'].map(record) : [];
  return (
    <>
      {given.map((one) => {
        const [mime, data, name] = [field(one, 'mime'), field(one, 'data'), field(one, 'name')];
        if (/^image\/(?:png|jpeg|gif|webp)$/.test(mime) && /^[\w+/]+={0,2}$/.test(data))
          return <img src={`data:${mime};base64,${data}`} alt="attached" />;
        return <span class="tag">{plain(name || (mime.startsWith('image/') ? 'picture' : mime))}</span>;
      })}
    </>
  );
}

function Folded({ title, parts, failed = false }: { title: string; parts: string[]; failed?: boolean }) {
  return (
    <li class={failed ? 'step failed' : 'step'}>
      <details>
        <summary>{plain(title)}</summary>
        {parts.map((part) => (
          <pre tabindex={0}>{plain(part)}</pre>
        ))}
      </details>
    </li>
  );
}

function resultText(result: Record<string, unknown>): string {
  const content = Array.isArray(result['content']) ? result['content'] : [];
  return content
    .map((part: unknown) => (field(record(part), 'type') === 'image' ? '[picture]' : field(record(part), 'text')))
    .join('\n');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function field(value: Record<string, unknown>, name: string): string {
  const found = value[name];
  return typeof found === 'string' ? found : '';
}

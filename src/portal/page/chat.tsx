/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import type { ConversationId } from '../../wire/wire.ts';
import { Layout } from './layout.tsx';

type Entry = Awaited<ReturnType<Client['conversation']>>['entries'][number];

const shownEntries = 200;

/** The chat: one conversation with its latest entries, the others beside it. */
export async function chatPage(client: Client, url: URL) {
  const id = conversationOf(url.searchParams.get('c') ?? '');
  const [status, list, shown] = await Promise.all([
    client.status(),
    client.conversations(),
    client.conversation(id, shownEntries),
  ]);
  const results = new Map(
    shown.entries.filter((e) => e.kind === 'tool-result').map((e) => [field(record(e['result']), 'callId'), e]),
  );
  const names = [...new Set([id, 'web/me', ...list.map((one) => one.conversation)])];
  return (
    <Layout title="Chat" here="chat" status={status}>
      <aside>
        <h2>Conversations</h2>
        <ul>
          {names.map((name) => (
            <li>
              <a class="pick" href={`/?c=${encodeURIComponent(name)}`} aria-current={name === id ? 'true' : undefined}>
                {name}
              </a>
            </li>
          ))}
        </ul>
        <form id="new" class="row">
          <input name="name" placeholder="New conversation" aria-label="Name of a new conversation" maxlength={60} />
        </form>
      </aside>
      <section class="talk">
        <ol id="log" aria-live="polite" data-conversation={id}>
          {shown.entries.length === 0 && (
            <li class="note" id="nothing">
              Nothing said yet. Try “what time is it?”, or “remember that my bicycle is called Gudrun”.
            </li>
          )}
          {shown.entries.map((entry) => (
            <EntryItem entry={entry} results={results} />
          ))}
        </ol>
        {status.model.offline && (
          <p class="hint">
            The offline model answers: it needs no network, searches your notes and calls tools. For a real one set a
            key with <code>px secret set OPENAI_API_KEY</code>, or start Ollama.
          </p>
        )}
        <form id="say" class="composer">
          <textarea
            name="text"
            rows={1}
            required
            maxlength={100000}
            placeholder="Write to px"
            aria-label="Message"
          ></textarea>
          <button type="submit">Send</button>
          <button type="button" id="stop" hidden>
            Stop
          </button>
        </form>
      </section>
    </Layout>
  );
}

function EntryItem({ entry, results }: { entry: Entry; results: Map<string, Entry> }) {
  const text = field(entry, 'text');
  if (entry.kind === 'user') return <li class="user">{text}</li>;
  if (entry.kind === 'assistant') return <li class="assistant">{text}</li>;
  if (entry.kind === 'thinking') return <Folded title="thought" text={text} />;
  if (entry.kind === 'tool-call') {
    const call = record(entry['call']);
    const result = record(results.get(field(call, 'id'))?.['result']);
    const title = `${field(call, 'name')}${result['isError'] === true ? ' — failed' : ''}`;
    return <Folded title={title} text={JSON.stringify(call['args'] ?? {}, null, 2)} more={resultText(result)} />;
  }
  // Shown with its call.
  if (entry.kind === 'tool-result') return null;
  if (entry.kind === 'turn-end') {
    const error = record(entry['error']);
    return entry['error'] === undefined ? null : <li class="note">{field(error, 'message')}</li>;
  }
  if (entry.kind === 'model') return <li class="note">{`${field(entry, 'model')} answers from here on`}</li>;
  return <li class="note">{text}</li>;
}

function Folded({ title, text, more = '' }: { title: string; text: string; more?: string }) {
  return (
    <li class="step">
      <details>
        <summary>{title}</summary>
        <pre>{text}</pre>
        {more !== '' && <pre>{more}</pre>}
      </details>
    </li>
  );
}

function resultText(result: Record<string, unknown>): string {
  const content = Array.isArray(result['content']) ? result['content'] : [];
  return content.map((part: unknown) => field(record(part), 'text')).join('\n');
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function field(value: Record<string, unknown>, name: string): string {
  const found = value[name];
  return typeof found === 'string' ? found : '';
}

function conversationOf(text: string): ConversationId {
  const [channel, chat, ...more] = text.split('/');
  return channel && chat && more.length === 0 ? `${channel}/${chat}` : 'web/me';
}

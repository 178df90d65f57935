/** @jsxImportSource hono/jsx */
import { Icon } from '../ui/icon.tsx';
import { Layout } from '../ui/layout.tsx';
import { Form, Problem } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { conversationOf } from './address.ts';
import { Entries } from './entries.tsx';
import { Question } from './question.tsx';

const shownEntries = 200;

/** The chat: one conversation with its latest entries. */
async function show(visit: Visit) {
  const { client, status } = visit;
  const id = conversationOf(visit.url.searchParams.get('c') ?? '');
  const [shown, { approvals }] = await Promise.all([
    client.conversation(id, shownEntries, 'yes'),
    client.approvals.list(),
  ]);
  const waiting = approvals.filter((one) => one.conversation === id);
  return (
    <Layout visit={visit} title="Chat" size="full" script="/chat.browser.js">
      <section class="talk">
        <header>
          <h1>{id}</h1>
          <span class="soft small by">{shown.model ?? status.model.ref}</span>
          <details class="sure right" id="others">
            <summary class="button">Conversations</summary>
            <div class="card pop">
              {/* Filled when it is opened: to list all there are takes longer than to show one. */}
              <nav class="side" aria-label="Latest conversations">
                <ul id="recent"></ul>
              </nav>
              <form action="/" class="row" aria-label="A new conversation">
                <input
                  name="c"
                  placeholder="a new one"
                  aria-label="Name of a new conversation"
                  maxlength={60}
                  required
                />
                <button type="submit">Open</button>
              </form>
              <a href="/conversations">All conversations</a>
            </div>
          </details>
        </header>
        <ol id="log" class="log" aria-live="polite" aria-label="What was said" data-conversation={id} tabindex={0}>
          {shown.entries.length === 0 && (
            <li class="hello" id="nothing">
              <h2>Say something to px</h2>
              <p class="soft">“What time is it?”, or “remember that my bicycle is called Gudrun”.</p>
            </li>
          )}
          <Entries entries={shown.entries} asking={waiting.map((one) => one.call)} />
          {waiting.map((approval) => (
            <li>
              <Question visit={visit} approval={approval} />
            </li>
          ))}
        </ol>
        {visit.problem && (
          <div class="hint">
            <Problem error={visit.problem} />
          </div>
        )}
        <p id="state" class="hint working" role="status" hidden>
          px is at work
        </p>
        {status.model.offline && (
          <p class="hint">
            The offline model answers: it needs no network, searches your notes and calls tools. For a real one{' '}
            <a href="/models">set a key</a>, or start Ollama.
          </p>
        )}
        <Form visit={visit} id="say" class="composer" label="Write to px" upload>
          <ul class="files" id="files" aria-label="Attached"></ul>
          <div class="box">
            <label class="clip">
              <Icon name="clip" />
              <span class="hidden">Attach pictures or documents</span>
              <input type="file" name="files" multiple />
            </label>
            <textarea
              name="text"
              rows={1}
              maxlength={100_000}
              placeholder="Write to px"
              aria-label="Message"
              value={visit.form.text('text')}
            ></textarea>
            <button type="submit" name="do" value="stop" id="stop" formnovalidate hidden aria-label="Stop the answer">
              <Icon name="stop" />
            </button>
            <button type="submit" name="do" value="say" class="main" aria-label="Send">
              <Icon name="send" />
            </button>
          </div>
        </Form>
      </section>
    </Layout>
  );
}

const here = (visit: Visit) => visit.url.pathname + visit.url.search;

export const pages: Page[] = [
  {
    path: '/',
    show,
    actions: {
      // Without a script the page waits for the whole answer.
      async say(visit) {
        const attachments = await Promise.all(
          visit.form.files('files').map(async (file) => ({
            mime: file.type.split(';')[0] || 'application/octet-stream',
            name: file.name.slice(0, 200),
            data: Buffer.from(await file.arrayBuffer()).toString('base64'),
          })),
        );
        const text = visit.form.text('text').trim() || (attachments.length > 0 ? 'See what I attached.' : '');
        await visit.client.ask(conversationOf(visit.url.searchParams.get('c') ?? ''), text, { attachments });
        return here(visit);
      },
      async stop(visit) {
        await visit.client.stop(conversationOf(visit.url.searchParams.get('c') ?? ''));
        return here(visit);
      },
    },
  },
];

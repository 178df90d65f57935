/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import type { ConversationId } from '../../wire/wire.ts';
import { type Bar, Bars } from '../ui/chart.tsx';
import { Layout } from '../ui/layout.tsx';
import { bytes, Card, count, Fact, State, Words } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';

const shownTurns = 40;

/** What px is doing: memory, processor, queue and turns as plots; model, channels, plugins, sandbox. */
async function show(visit: Visit) {
  const { client, status } = visit;
  const [plugins, turns] = await Promise.all([client.plugins(), recentTurns(client)]);
  const running = new Map(status.plugins.map((one) => [one.name, one]));
  const megabytes = (n: number) => `${(n / 1_048_576).toFixed(1)} MiB`;
  const used = status.plugins.reduce((sum, one) => sum + (one.rssBytes ?? 0), 0);
  return (
    <Layout visit={visit} title="Status" about="What px is doing right now." size="wide" script="/live.browser.js">
      <div class="grid" data-on="turn.end plugin.started plugin.stopped plugin.changed config pairing">
        <Plot name="memory" title="Memory of px" value={megabytes(status.memory.rssBytes)} />
        <Plot name="cpu" title="Processor" value={`${share(status.cpuMs, status.uptimeMs)} % since the start`} />
        <Plot name="plugins" title="Memory of plugins" value={megabytes(used)} />
        <Plot
          name="queue"
          title="Turns running + waiting"
          value={`${status.queue.running} + ${status.queue.waiting}`}
        />
      </div>
      <section class="card" id="turns" data-live>
        <Bars
          title="Recent turns"
          bars={turns}
          scale={seconds}
          most={turns.length === 0 ? 'none yet' : `longest ${seconds(Math.max(...turns.map((turn) => turn.value)))}`}
        />
      </section>
      <div class="grid" id="parts" data-live>
        <Card title="px">
          <dl>
            <Fact name="Version">{status.version}</Fact>
            <Fact name="Home">{status.home}</Fact>
            <Fact name="Process">{`${status.pid}, up ${span(status.uptimeMs)}`}</Fact>
            <Fact name="Notes">
              {`${count(status.memory.notes, 'note')}, ${count(status.memory.chunks, 'passage')} indexed`}
            </Fact>
          </dl>
        </Card>
        <Card title="Model" side={status.model.offline && <span class="tag warn">offline</span>}>
          <p>
            <strong>{status.model.ref}</strong>
          </p>
          <p class="soft">
            <Words text={status.model.note} />
          </p>
        </Card>
        <Card title="Channels">
          {status.channels.length === 0 && (
            <p class="soft">
              None yet. <a href="/channels">Set one up</a>
            </p>
          )}
          <ul class="rows">
            {status.channels.map((one) => (
              <li>
                <strong>{one.id}</strong> <State state={one.state} /> <span class="soft small">{one.detail}</span>
              </li>
            ))}
          </ul>
        </Card>
        <Card title="Plugins">
          <ul class="rows">
            {plugins.map((one) => {
              const now = running.get(one.name);
              return (
                <li>
                  <a href={`/plugins/${one.name}`}>{one.name}</a> <State state={one.state} />
                  <span class="soft small">
                    {now?.pid ? `process ${now.pid}, ${bytes(now.rssBytes ?? 0)}` : one.detail}
                  </span>
                </li>
              );
            })}
          </ul>
        </Card>
        <Card title="Sandbox">
          <dl>
            <Fact name="Mode">{status.sandbox.mode}</Fact>
            {Object.entries(status.sandbox.layers).map(([layer, state]) => (
              <Fact name={layer}>{state}</Fact>
            ))}
          </dl>
        </Card>
      </div>
    </Layout>
  );
}

/** A line the script draws while one looks; before that the number alone. */
function Plot({ name, title, value }: { name: string; title: string; value: string }) {
  return (
    <figure class="card chart small" data-plot={name}>
      <figcaption>{title}</figcaption>
      <span class="big">{value}</span>
      <svg viewBox="0 0 300 60" preserveAspectRatio="none" aria-hidden="true">
        <polygon class="area" points="" />
        <polyline class="line" points="" />
        <line class="grid" x1="0" y1="60" x2="300" y2="60" />
      </svg>
    </figure>
  );
}

/** How long the latest turns took, over all conversations, oldest first. */
async function recentTurns(client: Client): Promise<Bar[]> {
  const latest = (await client.conversations()).slice(0, 6);
  const all = await Promise.all(
    // The server made these names: `channel/chat`.
    latest.map((one) => client.conversation(one.conversation as ConversationId, 120)),
  );
  const turns: { at: number; bar: Bar }[] = [];
  for (const { conversation, entries } of all) {
    const asked = new Map<unknown, number>();
    for (const entry of entries) {
      if (entry.kind === 'user') asked.set(entry['messageId'], entry.at);
      const began = entry.kind === 'turn-end' ? asked.get(entry['messageId']) : undefined;
      if (began === undefined) continue;
      const took = (entry.at - began) / 1000;
      const label = new Date(entry.at).toTimeString().slice(0, 5);
      const reason = typeof entry['reason'] === 'string' && entry['reason'] !== 'stop' ? `, ${entry['reason']}` : '';
      turns.push({ at: entry.at, bar: { label, value: took, says: `${seconds(took)} in ${conversation}${reason}` } });
    }
  }
  return turns
    .sort((a, b) => a.at - b.at)
    .slice(-shownTurns)
    .map((turn) => turn.bar);
}

const seconds = (n: number) => (n < 10 ? `${n.toFixed(2)} s` : `${Math.round(n)} s`);
const share = (cpu: number, up: number) => ((cpu / Math.max(1, up)) * 100).toFixed(1);

function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export const pages: Page[] = [{ path: '/status', show }];

/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { Layout } from './layout.tsx';

/** What px is doing: model, memory, channels, plugins, sandbox. */
export async function statusPage(client: Client) {
  const [status, plugins] = await Promise.all([client.status(), client.plugins()]);
  const pidOf = new Map(status.plugins.map((p) => [p.name, p.pid]));
  return (
    <Layout title="Status" here="status" status={status}>
      {status.config.problem && (
        <section class="card alert" role="alert">
          <h2>px.yaml was not taken over</h2>
          <p>{status.config.problem}</p>
          <p class="faint">The last good configuration stays in force.</p>
        </section>
      )}
      <section class="card">
        <h2>Model</h2>
        <p>
          <strong>{status.model.ref}</strong> {status.model.offline && <span class="badge warn">offline</span>}
        </p>
        <p class="faint">{status.model.note}</p>
      </section>
      <section class="card">
        <h2>px</h2>
        <dl>
          <Fact name="Version" value={status.version} />
          <Fact name="Home" value={status.home} />
          <Fact name="Process" value={String(status.pid)} />
          <Fact name="Memory" value={`${(status.memory.rssBytes / 1_048_576).toFixed(1)} MB`} />
          <Fact name="Notes" value={`${status.memory.notes} notes, ${status.memory.chunks} passages indexed`} />
        </dl>
      </section>
      <section class="card">
        <h2>Channels</h2>
        {status.channels.length === 0 && (
          <p class="faint">
            None yet. Telegram: <code>px secret set TELEGRAM_TOKEN</code>, then{' '}
            <code>px config set channels.telegram.enabled true</code>
          </p>
        )}
        <ul class="rows">
          {status.channels.map((c) => (
            <li>
              <span class={`dot ${c.state}`}></span>
              <strong>{c.id}</strong> <span>{c.state}</span> <span class="faint">{c.detail}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="card">
        <h2>Plugins</h2>
        {plugins.length === 0 && (
          <p class="faint">
            None yet: <code>px plugin add FILE</code>
          </p>
        )}
        <ul class="rows">
          {plugins.map((p) => (
            <li>
              <span class={`dot ${p.state}`}></span>
              <strong>{p.name}</strong> <span>{p.version}</span> <span>{p.state}</span>{' '}
              <span class="faint">{p.detail || (pidOf.get(p.name) ? `process ${pidOf.get(p.name)}` : p.kind)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="card">
        <h2>Sandbox</h2>
        <dl>
          <Fact name="Mode" value={status.sandbox.mode} />
          {Object.entries(status.sandbox.layers).map(([layer, state]) => (
            <Fact name={layer} value={state} />
          ))}
        </dl>
      </section>
    </Layout>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

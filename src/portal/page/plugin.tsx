/** @jsxImportSource hono/jsx */
import { defaultPlugin, type PluginConfig } from '../../config/config.ts';
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, bytes, Card, Field, Form, Notice, State, Sure, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { About, Offers, Setup } from './plugin-about.tsx';

/**
 * What a plugin that is not installed is and asks for, with a box to tick for each thing; `name` is that of the installed one whose new version
 * it is. What was declined of the version before is not ticked again.
 */
export async function inspectPage(visit: Visit, source: string, name?: string) {
  const { client } = visit;
  const [info, installed] = await Promise.all([client.inspectPlugin(source, name), client.plugins()]);
  const before = installed.find((one) => one.name === info.name);
  const moved = before !== undefined && before.source !== info.source;
  const asked = new Set(before ? (await client.plugin(before.name)).asks.map((ask) => ask.rule) : []);
  return (
    <Layout
      visit={visit}
      title={`Add ${plain(info.name)}?`}
      {...(info.manifest.description === '' ? {} : { about: plain(info.manifest.description) })}
      up={{ href: '/plugins', name: 'Plugins' }}
    >
      {before && (
        <Notice kind="warn">
          {before.name} {plain(before.version)} is installed already. Adding this puts it in its place;{' '}
          {moved
            ? `it is from elsewhere (that one from ${plain(before.source)}), and has only what you tick.`
            : 'what you granted stays.'}
        </Notice>
      )}
      <Form visit={visit} action="/plugins" class="stack">
        <input type="hidden" name="source" value={source} />
        <input type="hidden" name="sha256" value={info.sha256} />
        {name !== undefined && <input type="hidden" name="name" value={name} />}
        {before && <input type="hidden" name="replace" value="yes" />}
        <section class="card">
          <h2>{info.asks.length === 0 ? 'It asks for nothing' : 'It asks to'}</h2>
          {info.asks.length === 0 && (
            <p class="soft">
              {info.manifest.sealed
                ? 'It is sealed: nothing of px or the world answers it, and each call has a process of its own.'
                : 'It computes, and answers when it is called. It reaches no network and no secret.'}
            </p>
          )}
          {info.asks.map((ask) => (
            <label class="check">
              <input
                type="checkbox"
                name="grant"
                value={ask.rule}
                checked={ask.granted || !asked.has(ask.rule)}
                disabled={ask.granted && !moved}
              />
              <span>
                {plain(ask.text)}
                {ask.granted && <span class="soft"> ({moved ? 'granted to that one' : 'granted already'})</span>}
              </span>
            </label>
          ))}
          {info.asks.length > 0 && (
            <p class="help">
              What is not ticked is denied; you can change it any time. Whatever it is granted, it cannot read your
              notes, open any other file, start programs or see the value of a secret.
            </p>
          )}
          <div class="row">
            <Button do="add" kind="main">
              {before ? 'Put it in place' : 'Add it'}
            </Button>
            <a class="button" href="/plugins">
              Do not add it
            </a>
          </div>
        </section>
      </Form>
      <Setup info={info} />
      <About info={info} />
      <Offers info={info} />
    </Layout>
  );
}

/** One plugin that is installed. */
async function show(visit: Visit) {
  const { client, params, status, problem } = visit;
  const name = params['name'] ?? '';
  const [info, lines, config, names] = await Promise.all([
    client.plugin(name),
    client.pluginLogs(name),
    client.config(),
    client.secretNames(),
  ]);
  const now = status.plugins.find((one) => one.name === name);
  const own = child(child(config, 'plugins'), name);
  const enabled = own['enabled'] !== false;
  const stopped = info.state === 'quarantined';
  return (
    <Layout
      visit={visit}
      title={name}
      {...(info.manifest.description === '' ? {} : { about: plain(info.manifest.description) })}
      up={{ href: '/plugins', name: 'Plugins' }}
      script="/live.browser.js"
    >
      {stopped && problem === undefined && (
        <div class="notice bad" role="alert">
          <strong>{name} was stopped because it failed too often.</strong> {plain(info.detail)}
          <Form visit={visit} class="row">
            <Button do="resume">Let it try again</Button>
          </Form>
        </div>
      )}
      <section class="card" id="now" data-live data-on="plugin.started plugin.stopped plugin.changed config">
        <div class="row">
          <State state={info.state} />
          <span class="soft">
            {now?.pid
              ? `process ${now.pid} with ${bytes(now.rssBytes ?? 0)}`
              : stopped
                ? ''
                : plain(info.detail) || 'no process: it starts when it is called'}
          </span>
          <span class="right row">
            {stopped || (
              <Form visit={visit}>
                <Button do={enabled ? 'disable' : 'enable'}>{enabled ? 'Switch off' : 'Switch on'}</Button>
              </Form>
            )}
            <Form visit={visit}>
              <Button do="update">Update</Button>
            </Form>
            <Sure visit={visit} do="remove" ask={`${name} and what it has stored are removed.`} yes="Remove" />
          </span>
        </div>
      </section>
      <Card title="What it may do">
        {info.asks.length === 0 && <p class="soft">It asks for nothing.</p>}
        {info.asks.length > 0 && (
          <Form visit={visit} class="stack" id="grants">
            {info.asks.map((ask) => (
              <label class="check">
                <input type="checkbox" name="grant" value={ask.rule} checked={ask.granted} />
                <span>{plain(ask.text)}</span>
              </label>
            ))}
            <div>
              <Button do="grant" kind="main">
                Save what it may do
              </Button>
            </div>
          </Form>
        )}
        <p class="help">
          Granted beyond that, if anything, stands in <a href={`/settings/plugins#${name}`}>Settings</a>.
        </p>
      </Card>
      <Setup info={info} />
      <Secrets visit={visit} wanted={Object.keys(info.manifest.secrets)} kept={names} />
      <div class="grid">
        <Card title="Live use">
          <ol
            id="feed"
            class="rows told small"
            data-about={name}
            aria-live="polite"
            aria-label="Calls as they happen"
          ></ol>
          <p class="soft small">Calls and denials appear here while this page is open.</p>
        </Card>
        <Card title="Log">
          {lines.length === 0 && <p class="soft">It has logged nothing.</p>}
          <ul class="rows told small">
            {lines
              .slice(-50)
              .reverse()
              .map((line) => (
                <li>
                  <Time at={line.at} />
                  <span class={/^(error|warn)$/.test(line.level) ? 'tag warn' : 'tag'}>{line.level}</span>
                  <span class="grow">{plain(line.message)}</span>
                </li>
              ))}
          </ul>
        </Card>
      </div>
      <Limits visit={visit} limits={child(own, 'limits')} />
      <About info={info} />
      <Offers info={info} />
    </Layout>
  );
}

/** A place for the value of each secret a plugin names: it goes to px, never to the plugin. */
function Secrets({ visit, wanted, kept }: { visit: Visit; wanted: string[]; kept: string[] }) {
  if (wanted.length === 0) return null;
  return (
    <Card title="Secrets it uses">
      {wanted.map((name) => (
        <Form visit={visit} class="field" label={`The secret ${plain(name)}`}>
          <input type="hidden" name="name" value={name} />
          <label for={`secret-${name}`}>{plain(name)}</label>
          <div class="row">
            <input
              id={`secret-${name}`}
              name="value"
              type="password"
              autocomplete="off"
              placeholder={kept.includes(name) ? 'kept, encrypted' : 'not set'}
            />
            <Button do="secret">{kept.includes(name) ? 'Replace' : 'Keep it'}</Button>
          </div>
        </Form>
      ))}
      <p class="help">
        px keeps the value encrypted and puts it into requests to the places granted above. The plugin never sees it.
      </p>
    </Card>
  );
}

/** How each limit is called; what is usual is said in the configuration and nowhere else. */
const limitLabels: Record<keyof PluginConfig['limits'], string> = {
  memory_mb: 'Memory, in MiB',
  cpu_ms: 'Computing for a call, in ms',
  wall_ms: 'Whole time of a call, in ms',
  idle_ms: 'Stays after a call, in ms',
  kv_bytes: 'Stored, in bytes',
  http_bytes: 'Largest answer from the network, in bytes',
  http_per_minute: 'Requests a minute (empty: as px sees fit)',
  calls_per_minute: 'Calls of it a minute',
  host_calls: 'Calls of px in a call',
  log_per_minute: 'Log lines a minute',
  file_bytes: 'Read or written of a file at once, in bytes',
  folder_files: 'Files in a folder it adds to',
  folder_bytes: 'Bytes in a folder it adds to',
  output_bytes: 'Largest result, in bytes',
};

/** Each limit with what px.yaml says of it, else what is usual; empty when nothing is. */
function limitsNow(own: Record<string, unknown>): { name: string; label: string; now: string }[] {
  const usual: Record<string, number | undefined> = { ...defaultPlugin().limits };
  return Object.entries(limitLabels).map(([name, label]) => ({
    name,
    label,
    now: String(own[name] ?? usual[name] ?? ''),
  }));
}

function Limits({ visit, limits }: { visit: Visit; limits: Record<string, unknown> }) {
  return (
    <details class="card" open={visit.problem !== undefined && visit.form.text('do') === 'limits'}>
      <summary>
        <strong>Limits</strong>
      </summary>
      <Form visit={visit} class="stack">
        <div class="grid">
          {limitsNow(limits).map(({ name, label, now }) => (
            <Field name={name} label={label} type="number" value={visit.form.has(name) ? visit.form.text(name) : now} />
          ))}
        </div>
        <div>
          <Button do="limits">Save the limits</Button>
        </div>
      </Form>
    </details>
  );
}

function child(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof found === 'object' && found !== null ? { ...found } : {};
}

const nameOf = ({ params }: Visit) => params['name'] ?? '';
const again = (visit: Visit) => `/plugins/${nameOf(visit)}`;

export const pluginPage: Page = {
  path: '/plugins/:name',
  show,
  actions: {
    async resume(visit) {
      await visit.client.resumePlugin(nameOf(visit));
      return again(visit);
    },
    /** A version that asks for more than is granted is looked at first, like a new plugin. */
    async update(visit) {
      try {
        await visit.client.updatePlugin(nameOf(visit));
      } catch (thrown) {
        if (!(thrown instanceof PxError) || thrown.code !== 'plugin.asks') throw thrown;
        return inspectPage(visit, (await visit.client.plugin(nameOf(visit))).source, nameOf(visit));
      }
      return again(visit);
    },
    async enable(visit) {
      await visit.client.unsetConfig(`plugins.${nameOf(visit)}.enabled`);
      return again(visit);
    },
    async disable(visit) {
      await visit.client.setConfig(`plugins.${nameOf(visit)}.enabled`, false);
      return again(visit);
    },
    async remove(visit) {
      await visit.client.removePlugin(nameOf(visit));
      return '/plugins';
    },
    async secret(visit) {
      const [name, value] = [visit.form.text('name'), visit.form.text('value').trim()];
      const { manifest } = await visit.client.plugin(nameOf(visit));
      if (!Object.hasOwn(manifest.secrets, name)) throw new PxError('usage', 'The plugin names no such secret.');
      if (value === '') throw new PxError('usage', 'Paste the value first.');
      await visit.client.setSecret(name, value);
      return again(visit);
    },
    async grant(visit) {
      const wanted = new Set(visit.form.all('grant'));
      const { asks } = await visit.client.plugin(nameOf(visit));
      await visit.client.grantPlugin(nameOf(visit), {
        grant: asks.filter((ask) => wanted.has(ask.rule)).map((ask) => ask.rule),
        revoke: asks.filter((ask) => ask.granted && !wanted.has(ask.rule)).map((ask) => ask.rule),
      });
      return again(visit);
    },
    async limits(visit) {
      const own = child(child(child(await visit.client.config(), 'plugins'), nameOf(visit)), 'limits');
      for (const { name, now } of limitsNow(own)) {
        const given = visit.form.text(name).trim();
        if (given === now) continue;
        const key = `plugins.${nameOf(visit)}.limits.${name}`;
        await (given === '' ? visit.client.unsetConfig(key) : visit.client.setConfig(key, Number(given)));
      }
      return again(visit);
    },
  },
};

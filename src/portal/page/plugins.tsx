/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, bytes, Card, count, Empty, Field, Form, State } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { inspectPage, pluginPage } from './plugin.tsx';

/** What is installed, and a way to add more. */
async function show(visit: Visit) {
  const plugins = await visit.client.plugins();
  const running = new Map(visit.status.plugins.map((one) => [one.name, one]));
  return (
    <Layout
      visit={visit}
      title="Plugins"
      about="Each runs locked up in a process of its own, and may do nothing that you have not granted."
      script="/live.browser.js"
    >
      <div id="plugins" data-live data-on="plugin.started plugin.stopped plugin.changed config">
        {plugins.length === 0 && (
          <Empty>
            <p>No plugin is installed.</p>
          </Empty>
        )}
        <ul class="list">
          {plugins.map((one) => {
            const now = running.get(one.name);
            const use = now?.pid
              ? `process ${now.pid}, ${bytes(now.rssBytes ?? 0)}`
              : `${kinds[one.kind]}, ${bytes(one.bytes)}`;
            return (
              <li>
                <a href={`/plugins/${one.name}`}>
                  <span>
                    <strong>{one.name}</strong> <span class="soft small">{plain(one.version)}</span>
                  </span>
                  <State state={one.state} />
                  <span class="snippet">
                    {one.detail === '' ? `${plain(one.description)} (${use})`.trimStart() : plain(one.detail)}
                  </span>
                </a>
              </li>
            );
          })}
        </ul>
      </div>
      <div class="grid">
        <Card title="Add by address">
          <Form visit={visit} class="stack">
            <Field
              name="source"
              label="Address, file or name"
              placeholder="https://example.com/plugin.wasm"
              value={visit.form.text('source')}
              required
              mono
              help="A web address, a path on the machine px runs on, an OCI name, or one px carries: discord, weather, web-search, files, js-run."
            />
            <div>
              <Button do="look" kind="main">
                Look at it
              </Button>
            </div>
          </Form>
        </Card>
        <Card title="Add a file">
          <Form visit={visit} class="stack" upload>
            <div class="field">
              <label for="file">A file on this device</label>
              <input
                id="file"
                type="file"
                name="file"
                accept=".wasm,.ts,.js,.mjs"
                required
                aria-describedby="file-help"
              />
              <p class="help" id="file-help">
                A WebAssembly component, or a script in TypeScript or JavaScript.
              </p>
            </div>
            <div>
              <Button do="upload" kind="main">
                Look at it
              </Button>
            </div>
          </Form>
        </Card>
      </div>
      <p class="soft small">
        Looking installs nothing: px opens the file in a locked process, shows you what it asks for, and you decide.{' '}
        {count(plugins.length, 'plugin')} installed. <a href="/docs/write-a-plugin">How to write one</a>
      </p>
    </Layout>
  );
}

const kinds = {
  messaging: 'connector',
  tool: 'tools',
  component: 'component',
  script: 'script',
};

export const pages: Page[] = [
  {
    path: '/plugins',
    show,
    actions: {
      look: (visit) => inspectPage(visit, visit.form.text('source').trim()),
      async upload(visit) {
        const [file] = visit.form.files('file');
        if (!file) throw new PxError('usage', 'Choose a file first.');
        const name = file.name.replace(/[^\w.-]+/g, '-').replace(/^\W+/, '');
        const { path } = await visit.client.upload(name, new Uint8Array(await file.arrayBuffer()));
        return inspectPage(visit, path);
      },
      /** Installs what was looked at, with the asks that were ticked, and nothing but the file that was shown. */
      async add({ client, form }) {
        const info = await client.addPlugin(form.text('source'), {
          ...(form.has('name') ? { name: form.text('name') } : {}),
          grant: form.all('grant'),
          sha256: form.text('sha256'),
          replace: form.has('replace'),
        });
        return `/plugins/${info.name}`;
      },
    },
  },
  pluginPage,
];
